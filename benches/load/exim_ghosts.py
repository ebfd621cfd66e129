"""exim_ghosts.py - ghosts made in the spool of a running Exim, each as it comes about in life, and how each is taken away again.

What is changed is a standing message, under the lock that Exim itself takes on its body, so that no delivery has a hand on it.
"""
import fcntl, glob, os, pwd, random, subprocess, time

from common import TAKEN, files_below, half_written, hanging_client, holders, kill, processes, wait_for

SPOOL = "/var/spool/exim4"
INPUT = f"{SPOOL}/input"
LOG = "/var/log/exim4/mainlog"
STANDING = []
INJECT = None
NOBODY = 4321
USER = pwd.getpwnam("Debian-exim")


def home(name, end, folder="input"):
    """With a split spool the sixth letter of the ID is that of the folder."""
    return f"{SPOOL}/{folder}/{name[5]}/{name}{end}"


def log_of(name):
    return home(name, "", "msglog")


class Taken:
    """A standing message, no longer one of them, that has a log; locked until the end of the block."""

    def __enter__(self):
        self.name = wait_for(self.lock, 300)
        return self.name

    def lock(self):
        for _ in range(50):
            name = random.choice(STANDING)
            try:
                self.file = open(home(name, "-D"), "r+b")
            except FileNotFoundError:
                continue
            try:
                fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if all(map(os.path.exists, (home(name, "-H"), log_of(name)))):
                    STANDING.remove(name)
                    TAKEN["at"] = time.time()
                    return name
            except BlockingIOError:
                pass
            self.file.close()

    def __exit__(self, *_):
        self.file.close()


def gone(*paths):
    def undo():
        for path in paths:
            if os.path.exists(path):
                os.unlink(path)
    return undo


def rest(name):
    """Takes all that is left of a message away."""
    return gone(log_of(name), home(name, "-J"), home(name, "-H"), home(name, "-D"))


def folder(path):
    os.makedirs(path, exist_ok=True)
    os.chown(path, USER.pw_uid, USER.pw_gid)
    return path


def moves(pairs):
    """Renames, the envelope first: from then on Exim does not see it. Back the other way."""
    for old, new in pairs:
        os.rename(old, new)
    return lambda: [os.rename(new, old) for old, new in reversed(pairs)]


def no_envelope(_):
    with Taken() as name:
        os.unlink(home(name, "-H"))
        return {"id": name, "path": home(name, "-D")}, rest(name)


def no_body(_):
    with Taken() as name:
        os.unlink(home(name, "-D"))
        return {"id": name, "path": home(name, "-H")}, rest(name)


def cut_off(end, size):
    def make(_):
        with Taken() as name:
            os.truncate(home(name, end), size)
            return {"id": name, "path": home(name, "-H")}, rest(name)
    return make


def wrong_owner(_):
    with Taken() as name:
        os.chmod(home(name, "-H"), 0o600)
        for end in ("-H", "-D"):
            os.chown(home(name, end), NOBODY, -1)

        def undo():
            for end in ("-D", "-H"):
                os.chown(home(name, end), USER.pw_uid, -1)
            os.chmod(home(name, "-H"), 0o640)
        return {"id": name, "path": home(name, "-H")}, undo


def backup_names(_):
    with Taken() as name:
        undo = moves([(home(name, end), home(name, end) + ".bak") for end in ("-H", "-D")])
        return {"id": name, "path": home(name, "-H.bak")}, undo


def in_making(_):
    with Taken() as name:
        path = f"{os.path.dirname(home(name, '-H'))}/hdr.{name}"
        return {"id": name, "path": path}, moves([(home(name, "-H"), path)])


def in_folder(below):
    def make(_):
        with Taken() as name:
            place = folder(f"{INPUT}/{below}")
            undo = moves([(home(name, end), f"{place}/{name}{end}") for end in ("-H", "-D")])
            return {"id": name, "path": f"{place}/{name}-H"}, undo
    return make


def wrong_folder(_):
    with Taken() as name:
        others = [letter for letter in os.listdir(INPUT) if len(letter) == 1 and letter != name[5]]
        place = f"{INPUT}/{random.choice(others)}" if others else folder(f"{INPUT}/{'x' if name[5] != 'x' else 'y'}")
        undo = moves([(home(name, end), f"{place}/{name}{end}") for end in ("-H", "-D")])
        return {"id": name, "path": f"{place}/{name}-H"}, undo


def frozen_away(_):
    """As with move_frozen_messages."""
    name = freeze()
    for below in ("Finput", "Fmsglog"):
        folder(f"{SPOOL}/{below}")
        folder(f"{SPOOL}/{below}/{name[5]}")
    undo = moves([(home(name, end), home(name, end, "Finput")) for end in ("-H", "-D")]
                 + [(log_of(name), home(name, "", "Fmsglog"))])
    return {"id": name, "path": home(name, "-H", "Finput")}, lambda: [undo(), thaw(name)]


def freeze():
    def done():
        with Taken() as name:
            pass
        ran = subprocess.run(["exim4", "-Mf", name], capture_output=True, text=True)
        if "is now frozen" in ran.stdout + ran.stderr:
            return name
        STANDING.append(name)
    return wait_for(done)


def thaw(name):
    def done():
        ran = subprocess.run(["exim4", "-Mt", name], capture_output=True, text=True)
        return "is no longer frozen" in ran.stdout + ran.stderr
    return wait_for(done)


def frozen(_):
    name = freeze()
    return {"id": name, "path": home(name, "-H")}, lambda: thaw(name)


def long_id(_):
    """As Exim 4.97 writes it; 4.96 does not know it."""
    with Taken() as name:
        first, second, third = name.split("-")
        other = f"{first}-00000{second}-00{third}"
        for end in ("-D", "-H"):
            with open(home(name, end), "rb") as file:
                data = file.read()
            new = home(other, end)
            with open(new + ".new", "wb") as file:
                file.write(data.replace(name.encode(), other.encode(), 1))
            os.chmod(new + ".new", 0o640)
            os.chown(new + ".new", USER.pw_uid, USER.pw_gid)
            os.rename(new + ".new", new)
        gone(home(name, "-H"), home(name, "-D"), log_of(name))()
        return {"id": other, "path": home(other, "-H")}, gone(home(other, "-H"), home(other, "-D"))


def lone_log(_):
    with Taken() as name:
        gone(home(name, "-H"), home(name, "-D"))()
        return {"id": name, "path": log_of(name)}, rest(name)


def lone_journal(_):
    """Exim removes it last, and was killed before."""
    with Taken() as name:
        path = home(name, "-J")
        with open(path, "w") as file:
            file.write("stand@stand.test\n")
        os.chmod(path, 0o640)
        os.chown(path, USER.pw_uid, USER.pw_gid)
        gone(log_of(name), home(name, "-D"), home(name, "-H"))()
        return {"id": name, "path": path}, rest(name)


def future(number):
    before = set(glob.glob(f"{INPUT}/?/*-H"))
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
    recipient = f"future{number}@stand.test"
    subprocess.run(["/usr/sbin/exim4", "-i", "-odq", "-f", "a@lab.test", recipient], input=b"Subject: future\n\nx\n", check=True,
                   env={**os.environ, "LD_PRELOAD": library, "FAKETIME": "+400d"})

    def there():
        for path in set(glob.glob(f"{INPUT}/?/*-H")) - before:
            try:
                with open(path, "rb") as file:
                    if recipient.encode() in file.read():
                        return os.path.basename(path)[:-2]
            except FileNotFoundError:
                pass
    name = wait_for(there)
    return {"id": name, "path": home(name, "-H")}, removed(name)


def removed(name):
    """By Exim itself, which says so if a delivery has it just now."""
    def done():
        ran = subprocess.run(["exim4", "-Mrm", name], capture_output=True, text=True)
        return "has been removed" in ran.stdout + ran.stderr
    return lambda: wait_for(done)


def named_queue(number):
    name, = INJECT([f"named{number}@stand.test"])
    path = home(name, "-H", "quarantine/input")
    body = home(name, "-D", "quarantine/input")
    wait_for(lambda: os.path.exists(path) and not holders(body))
    return {"id": name, "path": path}, gone(home(name, "", "quarantine/msglog"), path, body)


def killed_receiver(number):
    """A client that hangs in DATA, and the process that takes its message is killed."""
    line = f"half written line {number}.\r\n".encode()
    client = hanging_client(f"half{number}@stand.test", line)
    path = wait_for(lambda: half_written(glob.glob(f"{INPUT}/?/*-D"), line.strip()))
    for pid in holders(path):
        kill(pid)
    wait_for(lambda: not holders(path))
    client.close()
    return {"id": os.path.basename(path)[:-2], "path": path}, lambda: os.unlink(path)


# Name, rule under which it is to be found, and how it is made.
KINDS = [
    ("envelope removed", "body-without-envelope", no_envelope),
    ("receiver killed", "body-without-envelope", killed_receiver),
    ("body removed", "envelope-without-body", no_body),
    ("envelope cut off", "corrupt", cut_off("-H", 300)),
    ("body cut off", "corrupt", cut_off("-D", 5)),
    ("envelope without a byte", "empty-file", cut_off("-H", 0)),
    ("owner 4321, mode 0600", "wrong-owner-or-mode", wrong_owner),
    ("renamed to *.bak", "foreign-name", backup_names),
    ("envelope renamed to hdr.ID", "foreign-name", in_making),
    ("moved to input/old", "foreign-name", in_folder("old")),
    ("ID of Exim 4.97", "foreign-name", long_id),
    ("in the folder of another letter", "misfiled", wrong_folder),
    ("frozen", "held", frozen),
    ("frozen, moved to Finput", "other-queue", frozen_away),
    ("in a named queue", "other-queue", named_queue),
    ("ID 400 days ahead", "future-time", future),
    ("message log alone", "orphan-side-file", lone_log),
    ("journal alone", "orphan-side-file", lone_journal),
]


def queue_size():
    return sum(path.endswith("-H") for path in files_below(INPUT))


def first_attempts():
    """Until all standing messages were tried once: then they have logs with a line of it."""
    subprocess.run(["exim4", "-q"], check=True)


def log_counts():
    with open(LOG, errors="replace") as file:
        lines = file.readlines()
    return {"delivered": sum(" => " in line for line in lines), "put off": sum(" == " in line for line in lines)}


def kill_a_deliverer(inject):
    """One that hangs after DATA, as a whole: killed while it removes what it has delivered it would leave a ghost of its own, and a message
    of which the transport alone is killed Exim itself freezes. Its message goes then, since the next attempt would hang as well."""
    name, = inject(["slow@slow.test"])
    agents = lambda: processes(lambda words: "-Mc" in words and name in words)
    wait_for(lambda: len(agents()) > 1)
    time.sleep(2)
    killed = sum(kill(pid) for pid in agents())
    removed(name)()
    return int(killed > 0)


def queue_runs(stop):
    """Beside those of the daemon: of what was put off a moment ago."""
    while not stop.wait(10):
        subprocess.run(["exim4", "-R", "again.test"], check=True)
