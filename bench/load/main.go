// Command load asks a running coordination service as many clients would, and prints what it took as JSON.
//
//	load send  durable messages from many senders at once
//	load get   the paths on standard input, one after the other
//	load push  messages to agents that each have a WebSocket open
//
// It speaks HTTP by hand over plain connections, so that on a machine of two processors it is not what is measured.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// result is what is printed: the time from a request's first byte to its answer's last, in microseconds.
type result struct {
	Seconds float64 `json:"seconds"`
	Micros  []int64 `json:"micros"`
	Answers []int64 `json:"answers,omitempty"` // of the sends of "push"
}

type options struct {
	address    string
	project    string
	run        string
	senders    int
	agents     int
	recipients int
	bytes      int
	count      int
	sockets    int
	during     time.Duration
}

func main() {
	modes := map[string]func(options) (result, error){"send": send, "get": get, "push": push}
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: load send|get|push [flags]")
		os.Exit(2)
	}
	var o options
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&o.address, "address", "127.0.0.1:7338", "host and port of the service")
	flags.StringVar(&o.project, "project", "bench", "project of all messages")
	flags.StringVar(&o.run, "run", "run", "a word that makes message ids unique")
	flags.IntVar(&o.senders, "senders", 32, "send: clients that send, each one message at a time")
	flags.IntVar(&o.agents, "agents", 1000, "send: agents that messages go to, in turn")
	flags.IntVar(&o.recipients, "recipients", 1, "send: recipients of a message")
	flags.IntVar(&o.bytes, "bytes", 512, "bytes of a message's body")
	flags.IntVar(&o.count, "count", 500, "get: rounds over the paths; push: messages")
	flags.IntVar(&o.sockets, "sockets", 1000, "push: agents that listen")
	flags.DurationVar(&o.during, "during", 5*time.Second, "send: how long")
	if err := flags.Parse(os.Args[2:]); err != nil {
		os.Exit(2)
	}
	found, err := modes[os.Args[1]](o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
