"""postfix_ghosts.py - ghosts made in the spool of a running Postfix, each as it comes about in life, and how each is taken away again.

What is changed is a deferred message whose next attempt is some time off, so that the queue manager has no hand on it.
"""
import os, random, subprocess, time

from common import TAKEN, files_below, half_written, hanging_client, holders, kill, processes, wait_for

SPOOL = "/var/spool/postfix"
STANDING = []
INJECT = None
# How long before its next attempt a message is safe.
QUIET = 20
NOBODY = 4321
LOG = "/var/log/postfix.log"


def home(name, queue="deferred"):
    return f"{SPOOL}/{queue}/{name[0]}/{name}"


def take():
    """A standing message, no longer one of them, that has a log and is not about to be tried."""
    def safe():
        for _ in range(200):
            name = random.choice(STANDING)
            try:
                stat = os.stat(home(name))
            except FileNotFoundError:
                continue
            if stat.st_mtime > time.time() + QUIET and stat.st_mode & 0o777 == 0o700 and os.path.exists(home(name, "defer")):
                STANDING.remove(name)
                TAKEN["at"] = time.time()
                return name
    return wait_for(safe, 300)


def gone(name, *paths):
    """Takes the rest of a message away, its log first: a log alone would be another ghost."""
    def undo():
        for path in (home(name, "defer"), *paths):
            if os.path.exists(path):
                os.unlink(path)
    return undo


def moved(name, path):
    os.rename(home(name), path)
    return {"id": name, "path": path}, lambda: os.rename(path, home(name))


def wrong_folder(_):
    name = take()
    others = [letter for letter in os.listdir(f"{SPOOL}/deferred") if len(letter) == 1 and letter != name[0]]
    return moved(name, f"{SPOOL}/deferred/{random.choice(others)}/{name}")


def no_folder(_):
    name = take()
    return moved(name, f"{SPOOL}/deferred/{name}")


def backup_name(_):
    name = take()
    return moved(name, home(name) + ".bak")


def saved(_):
    name = take()
    return moved(name, f"{SPOOL}/saved/{name}")


def set_aside(_):
    name = take()
    ghost, _ = moved(name, f"{SPOOL}/corrupt/{name}")
    os.truncate(ghost["path"], 300)
    return ghost, gone(name, ghost["path"])


def far_future(_):
    name = take()
    there = time.time() + 90 * 86400
    os.utime(home(name), (there, there))
    soon = time.time() + 60
    return {"id": name, "path": home(name)}, lambda: os.utime(home(name), (soon, soon))


def wrong_mode(_):
    name = take()
    os.chmod(home(name), random.choice([0o600, 0o644]))
    return {"id": name, "path": home(name)}, lambda: os.chmod(home(name), 0o700)


def wrong_owner(_):
    name = take()
    stat = os.stat(home(name))
    os.chmod(home(name), 0o600)
    os.chown(home(name), NOBODY, -1)

    def undo():
        os.chown(home(name), stat.st_uid, -1)
        os.chmod(home(name), 0o700)
    return {"id": name, "path": home(name)}, undo


def postsuper(option, name):
    subprocess.run(["postsuper", option, name], check=True, capture_output=True)


def on_hold(_):
    name = take()
    postsuper("-h", name)
    return {"id": name, "path": f"{SPOOL}/hold/{name}"}, lambda: postsuper("-H", name)


def cut_off(size):
    def make(_):
        ghost, _ = on_hold(None)
        os.truncate(ghost["path"], size)
        return ghost, gone(ghost["id"], ghost["path"])
    return make


def lone_log(_):
    name = take()
    os.unlink(home(name))
    return {"id": name, "path": home(name, "defer")}, lambda: os.unlink(home(name, "defer"))


def killed_cleanup(number):
    """A client that hangs in DATA, and the cleanup process that writes its message is killed."""
    recipient = f"half{number}@stand.test"
    client = hanging_client(recipient, b"half written line\r\n")
    path = wait_for(lambda: half_written(files_below(f"{SPOOL}/incoming"), recipient.encode()))
    writers = [pid for pid in holders(path) if pid in processes(lambda words: words[0].endswith("cleanup"))]
    for pid in writers:
        kill(pid)
    wait_for(lambda: not holders(path))
    client.close()
    return {"id": os.path.basename(path), "path": path}, lambda: os.unlink(path)


def killed_postdrop(number):
    """Somebody who types a message, and the postdrop process that writes it is killed."""
    sender = subprocess.Popen(["/usr/sbin/sendmail", "-i", "-f", "a@lab.test", f"half{number}@stand.test"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sender.stdin.write(b"Subject: half\n\n" + b"half written line\n" * 6000)
    sender.stdin.flush()
    path = wait_for(lambda: half_written(files_below(f"{SPOOL}/maildrop"), f"half{number}@stand.test".encode()))
    for pid in holders(path):
        kill(pid)
    wait_for(lambda: not holders(path))
    try:
        sender.stdin.close()
    except BrokenPipeError:
        pass
    sender.kill()
    sender.wait()
    return {"id": os.path.basename(path), "path": path}, lambda: os.unlink(path)


# Name, rule under which it is to be found, and how it is made.
KINDS = [
    ("in the folder of another letter", "misfiled", wrong_folder),
    ("in no folder of a letter", "misfiled", no_folder),
    ("renamed to ID.bak", "foreign-name", backup_name),
    ("moved to saved", "other-queue", saved),
    ("cut off, in corrupt", "corrupt", set_aside),
    ("mtime 90 days ahead", "future-time", far_future),
    ("mode 0600 or 0644", "wrong-owner-or-mode", wrong_mode),
    ("owner 4321, mode 0600", "wrong-owner-or-mode", wrong_owner),
    ("on hold", "held", on_hold),
    ("on hold, cut off", "corrupt", cut_off(300)),
    ("on hold, without a byte", "empty-file", cut_off(0)),
    ("defer log alone", "orphan-side-file", lone_log),
    ("cleanup killed", "unfinished", killed_cleanup),
    ("postdrop killed", "unfinished", killed_postdrop),
]


def queue_size():
    queues = ("maildrop", "incoming", "active", "deferred", "hold")
    return sum(1 for queue in queues for _ in files_below(f"{SPOOL}/{queue}"))


def first_attempts():
    """Until all standing messages were tried once."""
    wait_for(lambda: all(os.path.exists(home(name, "defer")) for name in STANDING), 300)


def log_counts():
    with open(LOG, errors="replace") as file:
        lines = file.readlines()
    return {"delivered": sum("status=sent" in line for line in lines), "put off": sum("status=deferred" in line for line in lines)}


def kill_a_deliverer(_):
    agents = processes(lambda words: words[0] == "smtp")
    return kill(random.choice(agents)) if agents else 0


def queue_runs(stop):
    """The queue manager does that by itself."""
    stop.wait()
