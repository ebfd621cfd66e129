#!/usr/bin/env python3
"""load.py postfix|exim SECONDS RATE STANDING SEED - in the chroot of a running mail system: flow, ghosts and scans.

Writes into /lab/out: ledger.jsonl (a line for each ghost that was made, and one more when it was taken away), scans.jsonl and
scans/N.jsonl (what ghostq said, and when it was asked), samples.jsonl (size of the queue), flow.json (what passed).
"""
import importlib, itertools, json, os, random, smtplib, subprocess, sys, threading, time, traceback

from common import TAKEN, wait_for

SYSTEM, SECONDS, RATE, STANDING, SEED = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
OUT = "/lab/out"
SCAN_EVERY, PLANT_EVERY, LIFE = (20, 30), (4, 10), (45, 300)
STOP = threading.Event()
COUNTS = {"injected": 0, "refused": 0, "deliverers killed": 0}
FAILED = []


def write(name, **line):
    with open(f"{OUT}/{name}", "a") as file:
        file.write(json.dumps(line) + "\n")


def message(recipient, size):
    return (f"From: sender@lab.test\r\nTo: {recipient}\r\nSubject: load\r\nMessage-ID: <{recipient}>\r\n\r\n"
            + "a line of text, and some more of it\r\n" * (size // 37 + 1)).encode()


def inject(recipients):
    """Hands these in over one connection; the IDs that the server tells."""
    ids = []
    with smtplib.SMTP("127.0.0.1", 25, local_hostname="load.test", timeout=60) as server:
        server.ehlo()
        for recipient in recipients:
            server.mail("sender@lab.test")
            server.rcpt(recipient)
            code, answer = server.data(message(recipient, random.randrange(6000)))
            if code != 250:
                COUNTS["refused"] += 1
                continue
            COUNTS["injected"] += 1
            ids.append(answer.decode().split("queued as ")[-1].split("id=")[-1].strip())
    return ids


def flow():
    """Three messages at once, four in ten of them put off at first; each fifth time through the sendmail command."""
    numbers = itertools.count()
    due = time.time()
    for turn in itertools.count():
        domains = [random.choices(["ok.test", "again.test"], [6, 4])[0] for _ in range(3)]
        recipients = [f"flow{next(numbers)}@{domain}" for domain in domains]
        if turn % 5:
            inject(recipients)
        else:
            for recipient in recipients:
                data = message(recipient, random.randrange(6000)).replace(b"\r\n", b"\n")
                subprocess.run(["/usr/sbin/sendmail", "-i", "-f", "sender@lab.test", recipient], input=data, check=True)
                COUNTS["injected"] += 1
        due = max(due + 3 / RATE, time.time() - 5)
        if STOP.wait(max(0, due - time.time())):
            return


def scans(spool):
    os.makedirs(f"{OUT}/scans")
    for number in itertools.count():
        threads = 1 + number % 2
        begin = time.time()
        with open(f"{OUT}/scans/{number}.jsonl", "wb") as out, open(f"{OUT}/scans/{number}.err", "wb") as err:
            code = subprocess.run(["/lab/ghostq", "scan", spool, "--listing", "live", "--format", "jsonl", "--threads", str(threads)],
                                  stdout=out, stderr=err).returncode
        write("scans.jsonl", number=number, begin=begin, end=time.time(), threads=threads, exit=code, load=os.getloadavg()[0])
        if STOP.wait(random.uniform(*SCAN_EVERY)):
            return


def ghosts(system):
    """Each kind in turn, in an order that is shuffled anew; half of them live for a while only."""
    standing, kinds, alive = [], [], []
    for number in itertools.count():
        for ghost in [ghost for ghost in alive if ghost["until"] <= time.time()]:
            alive.remove(ghost)
            began = time.time()
            ghost["undo"]()
            write("ledger.jsonl", number=ghost["number"], removing=began, removed=time.time())
        if not kinds:
            kinds = list(system.KINDS)
            random.shuffle(kinds)
        name, rule, make = kinds.pop()
        began = time.time()
        ghost, undo = make(number)
        write("ledger.jsonl", number=number, kind=name, rule=rule, began=max(began, TAKEN["at"]), planted=time.time(), **ghost)
        if undo and random.random() < 0.5:
            alive.append({"number": number, "undo": undo, "until": time.time() + random.uniform(*LIFE)})
        if STOP.wait(random.uniform(*PLANT_EVERY)):
            return


def samples(system):
    while not STOP.wait(5):
        write("samples.jsonl", at=time.time(), queue=system.queue_size(), load=os.getloadavg()[0])


def kills(system):
    while not STOP.wait(random.uniform(8, 14)):
        COUNTS["deliverers killed"] += system.kill_a_deliverer(inject)


def guarded(work, *arguments):
    """What fails here is told, and no result comes of it."""
    try:
        work(*arguments)
    except Exception:
        FAILED.append(traceback.format_exc())
        STOP.set()


def main():
    random.seed(f"{SYSTEM} {SEED}")
    os.makedirs(OUT, exist_ok=True)
    system = importlib.import_module(f"{SYSTEM}_ghosts")
    numbers = iter(range(STANDING))
    while batch := [f"stand{number}@stand.test" for number in itertools.islice(numbers, 50)]:
        system.STANDING.extend(inject(batch))
    system.INJECT = inject
    system.first_attempts()
    # Both mail systems begin at once.
    open("/lab/ready", "w").close()
    wait_for(lambda: os.path.exists("/lab/go"), 600)
    passed = {name: -count for name, count in system.log_counts().items()}
    COUNTS.update({name: 0 for name in COUNTS})
    begin = time.time()
    works = [(flow,), (scans, system.SPOOL), (ghosts, system), (samples, system), (kills, system), (system.queue_runs, STOP)]
    threads = [threading.Thread(target=guarded, args=work) for work in works]
    for thread in threads:
        thread.start()
    STOP.wait(SECONDS)
    STOP.set()
    for thread in threads:
        thread.join()
    for name, count in system.log_counts().items():
        passed[name] += count
    with open(f"{OUT}/flow.json", "w") as file:
        json.dump({"begin": begin, "end": time.time(), **COUNTS, **passed}, file)
    print("\n".join(FAILED))
    return bool(FAILED)


sys.exit(main())
