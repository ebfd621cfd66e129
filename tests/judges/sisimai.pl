# What Sisimai reads in a report: one line `address<TAB>status<TAB>soft or hard` for each recipient.
use strict;
use warnings;
use Sisimai;

my $found = Sisimai->make($ARGV[0]) // [];
for my $bounce (@$found) {
    my $kind = { 0 => 'hard', 1 => 'soft', -1 => 'unknown' }->{ $bounce->softbounce } // 'unknown';
    print join("\t", $bounce->recipient->address, $bounce->deliverystatus, $kind, $bounce->messageid // ''), "\n";
}
