// SPDX-License-Identifier: GPL-2.0-or-later
// usage: go host seconds
//
// With 0 seconds, the library is left as it comes, without a limit.  Otherwise
// there is a deadline for the whole session, the only limit that it offers.
package main

import (
	"log"
	"net"
	"net/smtp"
	"os"
	"time"
)

func main() {
	address := os.Args[1] + ":25"
	limit, err := time.ParseDuration(os.Args[2] + "s")
	if err != nil {
		log.Fatal(err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	if limit > 0 {
		conn.SetDeadline(time.Now().Add(limit))
	}
	client, err := smtp.NewClient(conn, "localhost")
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Mail("alice@sender.example"); err != nil {
		log.Fatal(err)
	}
	if err := client.Rcpt("bob@recipient.example"); err != nil {
		log.Fatal(err)
	}
	if _, err := client.Data(); err != nil {
		log.Fatal(err)
	}
}
