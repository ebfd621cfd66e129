# What Mail::DeliveryStatus::BounceParser reads in a report, in the same form as sisimai.pl; it knows no hard and soft.
use strict;
use warnings;
use Mail::DeliveryStatus::BounceParser;

open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!";
my $bounce = eval { Mail::DeliveryStatus::BounceParser->new(do { local $/; <$file> }) };
exit 0 if !$bounce || !$bounce->is_bounce;
my $id = $bounce->orig_message_id // '';
for my $report ($bounce->reports) {
    my $status = $report->get('Status') // '';
    $status =~ s/\s+\z//;
    print join("\t", $report->get('email') // '', $status, $report->get('Action') =~ /failed/ ? 'hard' : 'soft', $id), "\n";
}
