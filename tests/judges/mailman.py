"""What flufl.bounce, with which Mailman finds bounces, reads in a report: the same form as sisimai.pl, without status and Message-ID."""

import email
import sys

from flufl.bounce import all_failures

with open(sys.argv[1], "rb") as file:
    temporary, permanent = all_failures(email.message_from_binary_file(file))
for kind, addresses in (("hard", permanent), ("soft", temporary)):
    for address in sorted(addresses):
        print(address.decode(), "", kind, "", sep="\t")
