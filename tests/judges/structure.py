"""Whether a report has the form of RFC 3464, 6522 and 6533, by the email package of Python. Prints what is wrong, one line each."""

import email
import email.policy
import json
import re
import sys

ONCE = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
# RFC 5322 section 3.3.
DATE = r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
faults = []


def check(holds, what):
    if not holds:
        faults.append(what)


def unfolded(value):
    return re.sub(r"\r?\n(?=[ \t])", "", str(value or "")).strip()


def blocks_of(part):
    """The header blocks of the second part. The email package splits those of message/delivery-status itself."""
    if part.get_content_type() == "message/delivery-status":
        return part.get_payload()
    text = part.get_payload(0).as_bytes().decode().strip()
    return [email.message_from_string(block) for block in re.split(r"\r?\n\r?\n", text)]


def check_lines(data):
    ends = set(re.findall(rb"\r?\n", data))
    check(len(ends) == 1, "line ends of two kinds")
    check(b"\r" not in data.replace(b"\r\n", b""), "a bare carriage return")
    check(max(map(len, re.split(rb"\r?\n", data))) <= 998, "a line of more than 998 bytes")


def check_header(report, expected):
    for name in ONCE:
        check(len(report.get_all(name, [])) == 1, f"{name} is not there once")
    check(re.fullmatch(r"Mail Delivery System <MAILER-DAEMON@[\w.-]+>", unfolded(report["From"])), "From")
    check(unfolded(report["To"]) == expected["to"], f"To is {report['To']!r}")
    check(re.fullmatch(DATE, unfolded(report["Date"])), "Date")
    check(re.fullmatch(r"<[!-;=?-~]+@[!-;=?-~]+>", unfolded(report["Message-ID"])), "Message-ID")
    check(unfolded(report["Auto-Submitted"]) == "auto-replied", "Auto-Submitted")
    reference = unfolded(report["In-Reply-To"])
    check(reference == unfolded(report["References"]), "In-Reply-To and References differ")
    if reference:
        check(reference == expected["message_id"], f"In-Reply-To is {reference}")
    check(report.get_content_type() == "multipart/report", "it is no multipart/report")
    check(report.get_param("report-type") == "delivery-status", "report-type")


def check_encodings(report, parts):
    eight_bit = []
    for part in parts:
        encoding = (part["Content-Transfer-Encoding"] or "7bit").lower()
        check(encoding in ("7bit", "8bit"), f"{part.get_content_type()} is encoded as {encoding}")
        is_ascii = part.as_bytes().isascii()
        check(encoding == "8bit" or is_ascii, f"{part.get_content_type()} has 8 bits and says 7bit")
        eight_bit.append(encoding == "8bit")
    check((report["Content-Transfer-Encoding"] or "7bit") == ("8bit" if any(eight_bit) else "7bit"), "outer encoding")


def check_status(part, expected):
    international = expected["international"]
    kind = "message/global-delivery-status" if international else "message/delivery-status"
    check(part.get_content_type() == kind, f"the second part is {part.get_content_type()}")
    check(international or part.as_bytes().isascii(), "the second part has 8 bits")
    blocks = blocks_of(part)
    check(len(blocks) == 1 + len(expected["recipients"]), f"{len(blocks)} header blocks")
    check(re.match(r"dns; ?\S+$", unfolded(blocks[0]["Reporting-MTA"])), "Reporting-MTA")
    check(unfolded(blocks[0]["Original-Envelope-Id"]) == (expected["envid"] or ""), "Original-Envelope-Id")
    for block, recipient in zip(blocks[1:], expected["recipients"]):
        check(not block.get_payload() and not block.defects, "a block that is not made of fields")
        kind, _, address = unfolded(block["Final-Recipient"]).partition(";")
        check(kind == ("rfc822" if recipient["address"].isascii() else "utf-8"), f"type {kind}")
        check(address.strip() == recipient["address"], f"Final-Recipient {address!r}")
        original = unfolded(block["Original-Recipient"]).partition(";")[2].strip()
        check(original == (recipient["original"] or ""), f"Original-Recipient {original!r}")
        check(block.get_all("Action") == ["failed"], "Action")
        check(unfolded(block["Status"]) == recipient["status"], f"Status {block['Status']}")
        diagnostic = unfolded(block["Diagnostic-Code"])
        check(re.match(r"(smtp; 5\d\d|X-ghostq; 5\.)", diagnostic), f"Diagnostic-Code {diagnostic!r}")
        codes = set(re.findall(r"\b[245]\.\d{1,3}\.\d{1,3}\b", diagnostic))
        check(codes <= {recipient["status"]}, f"Status and Diagnostic-Code {codes} differ")


def check_returned(parts, expected):
    if not expected["returned"]:
        check(len(parts) == 2, "something is returned, and there is nothing to return")
        return
    check(len(parts) == 3, f"{len(parts)} parts")
    part = parts[2]
    kinds = {"message": ["message/rfc822", "message/global"], "header": ["text/rfc822-headers", "message/global-headers"]}
    check(part.get_content_type() in kinds[expected["returned"]], f"the third part is {part.get_content_type()}")
    if part.get_content_maintype() == "message":
        original = part.get_payload(0)
    else:
        original = email.message_from_bytes(part.get_payload(decode=True))
    check(original["Message-ID"] == expected["message_id"], f"Message-ID of the original is {original['Message-ID']!r}")


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = json.load(file)
    report = email.message_from_bytes(data, policy=email.policy.compat32)
    if expected["returned"] != "message":
        check_lines(data)
    for part in report.walk():
        check(not part.defects, f"defects in {part.get_content_type()}: {part.defects}")
    parts = report.get_payload()
    check_header(report, expected)
    check_encodings(report, parts)
    check(parts[0].get_content_type() == "text/plain", "the first part is no text")
    text = parts[0].get_payload(decode=True).decode("utf-8")
    words = re.sub(r"\s+", " ", text)
    for recipient in expected["recipients"]:
        name = re.sub(r"\s+", " ", recipient["address"])
        check(f"<{name}>:" in words, f"the text does not name {name}")
        check(f"({recipient['status']})" in text, f"the text does not say {recipient['status']}")
    check_status(parts[1], expected)
    check_returned(parts, expected)
    print("\n".join(faults))


main()
