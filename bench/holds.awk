# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: mawk -v lines=N -v hosts=N -f holds.awk
#
# Write a log of made-up holds in the order of their ends: lines holds, from
# hosts addresses, two seconds apart on average, and most of them some minutes
# long.

function stamp(ms,   day, s)
{
	s = int(ms / 1000)
	day = int(s / 86400)
	if (!(day in date))
		date[day] = strftime("%Y-%m-%dT", day * 86400, 1)
	s -= day * 86400
	return sprintf("%s%02d:%02d:%02d.%03dZ", date[day], int(s / 3600),
	    int(s / 60) % 60, s % 60, ms % 1000)
}

BEGIN {
	srand(1)
	end = 1158865740000
	for (i = 0; i < lines; i++) {
		end += int(4000 * rand())
		length_ = int(-300000 * log(1 - rand())) % 7200000
		# Use every address, spread over all addresses.
		n = i < hosts ? i : int(hosts * rand())
		n = n * 40503 % 16777216
		printf "Sep 21 21:09:00 mx tarpit[%d]: ip=%d.%d.%d.9 " \
		    "connected=%s disconnected=%s\n", 1000 + i % 30000,
		    int(n / 65536), int(n / 256) % 256, n % 256,
		    stamp(end - length_), stamp(end)
	}
}
