"""common.py - what is asked of the kernel about processes and files."""
import os, signal, socket, time

# When the message that is being made a ghost of was chosen.
TAKEN = {"at": 0.0}


def holders(path):
    """Processes that have the file open."""
    try:
        wanted = os.stat(path)
    except FileNotFoundError:
        return []
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                stat = os.stat(f"/proc/{pid}/fd/{fd}")
                if (stat.st_dev, stat.st_ino) == (wanted.st_dev, wanted.st_ino):
                    found.append(int(pid))
                    break
        except OSError:
            continue
    return found


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode("latin-1").split("\0")
    except OSError:
        return []


def processes(matches):
    """Processes whose command line, as a list, matches."""
    return [int(pid) for pid in filter(str.isdigit, os.listdir("/proc")) if matches(command(pid))]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return 1
    except ProcessLookupError:
        return 0


def wait_for(what, seconds=60):
    """What it yields, as soon as that is something."""
    until = time.time() + seconds
    while time.time() < until:
        if found := what():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"waited in vain for {what.__qualname__}")


def files_below(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(top, name)


def hanging_client(recipient, line):
    """A client that hangs in DATA, after so much of a message that some of it is on the disk."""
    client = socket.create_connection(("127.0.0.1", 25), timeout=60)
    answers = client.makefile("rb")
    answers.readline()
    for command in ("HELO half.test", "MAIL FROM:<half@lab.test>", f"RCPT TO:<{recipient}>", "DATA"):
        client.sendall(command.encode() + b"\r\n")
        answers.readline()
    client.sendall(b"Subject: half\r\n\r\n" + line * 6000)
    return client


def half_written(paths, wanted):
    """The one of these files that has so much of the message in it which is known by these bytes."""
    for path in paths:
        try:
            with open(path, "rb") as file:
                if wanted in file.read(4096) and os.path.getsize(path) > 30000:
                    return path
        except FileNotFoundError:
            pass
    return None
