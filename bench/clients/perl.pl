# SPDX-License-Identifier: GPL-2.0-or-later
# usage: perl.pl host seconds

use strict;
use warnings;
use Net::SMTP;

my ($host, $seconds) = @ARGV;
my $client = Net::SMTP->new($host, Timeout => $seconds)
    or die;
$client->mail('alice@sender.example') or die;
$client->to('bob@recipient.example') or die;
$client->data("test\n") or die;
$client->quit;
