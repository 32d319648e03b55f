# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: TZ=UTC mawk -f stats.awk log ...
#
# Print the four lines of tarpit-stats, for bench_stats.py to compare with.

function day(date,   y, m, d)
{
	y = substr(date, 1, 4) + 0
	m = substr(date, 6, 2) + 0
	d = substr(date, 9, 2) + 0
	if (m < 3) {
		y--
		m += 12
	}
	return days[date] = 365 * y + int(y / 4) - int(y / 100) + \
	    int(y / 400) + int((153 * m - 457) / 5) + d - 719469
}

function msec(time,   date)
{
	date = substr(time, 1, 10)
	return (((date in days) ? days[date] : day(date)) * 86400 + \
	    substr(time, 12, 2) * 3600 + substr(time, 15, 2) * 60 + \
	    substr(time, 18, 2)) * 1000 + substr(time, 21, 3)
}

{
	connected = msec(substr($(NF - 1), 11))
	total += msec(substr($NF, 14)) - connected
	if (NR == 1 || connected < first)
		first = connected
	hosts[$(NF - 2)]
}

END {
	first = int(first / 1000)
	n = strftime("%d", first) + 0
	print "Stats since: " n \
	    (n % 10 > 3 || n % 10 == 0 || int(n / 10) == 1 ? "th" : \
	    n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : "rd") \
	    strftime(" %B %Y @ %H:%M", first)
	print "Emails blocked: " NR
	printf "Hours in Tar Pit: %.2f\n", total / 3600000
	print "Unique SMTP Hosts: " length(hosts)
}
