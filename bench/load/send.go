package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// message is the JSON of a message; none of its parts needs escaping.
func message(into []byte, o options, id, from string, to []string, body string) []byte {
	into = append(into[:0], `{"id":"`...)
	into = append(into, id...)
	into = append(into, `","project":"`...)
	into = append(into, o.project...)
	into = append(into, `","from":"`...)
	into = append(into, from...)
	into = append(into, `","to":["`...)
	into = append(into, strings.Join(to, `","`)...)
	into = append(into, `"],"body":"`...)
	into = append(into, body...)
	return append(into, `"}`...)
}

// send lets every sender send one message after the other until the time is over.
func send(o options) (result, error) {
	each := make([][]int64, o.senders)
	failed := make(chan error, o.senders)
	connections := make([]*connection, o.senders)
	for n := range connections {
		c, err := dial(o.address)
		if err != nil {
			return result{}, err
		}
		defer c.Close()
		connections[n] = c
	}
	var all sync.WaitGroup
	begun := time.Now()
	for n, c := range connections {
		all.Add(1)
		go func(n int, c *connection) {
			defer all.Done()
			micros, err := one(o, n, c, begun.Add(o.during))
			each[n] = micros
			if err != nil {
				failed <- err
			}
		}(n, c)
	}
	all.Wait()
	took := time.Since(begun)
	close(failed)
	for err := range failed {
		return result{}, err
	}
	found := result{Seconds: took.Seconds()}
	for _, micros := range each {
		found.Micros = append(found.Micros, micros...)
	}
	return found, nil
}

func one(o options, n int, c *connection, ends time.Time) ([]int64, error) {
	var micros []int64
	var content []byte
	from := "sender-" + strconv.Itoa(n)
	body := strings.Repeat("x", o.bytes)
	to := make([]string, o.recipients)
	next := n * 31
	for number := 0; ; number++ {
		begun := time.Now()
		if begun.After(ends) {
			return micros, nil
		}
		for place := range to {
			next++
			to[place] = "agent-" + strconv.Itoa(next%o.agents)
		}
		id := fmt.Sprintf("%s-%d-%d", o.run, n, number)
		content = message(content, o, id, from, to, body)
		if _, err := c.ask("POST", "/api/messages", content); err != nil {
			return micros, err
		}
		micros = append(micros, time.Since(begun).Microseconds())
	}
}

// get asks for every path on standard input, over and over, on one connection.
func get(o options) (result, error) {
	var paths []string
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		paths = append(paths, lines.Text())
	}
	if err := lines.Err(); err != nil || len(paths) == 0 {
		return result{}, fmt.Errorf("no paths on standard input: %v", err)
	}
	c, err := dial(o.address)
	if err != nil {
		return result{}, err
	}
	defer c.Close()
	var found result
	begun := time.Now()
	for round := 0; round < o.count; round++ {
		for _, path := range paths {
			at := time.Now()
			if _, err := c.ask("GET", path, nil); err != nil {
				return result{}, err
			}
			found.Micros = append(found.Micros, time.Since(at).Microseconds())
		}
	}
	found.Seconds = time.Since(begun).Seconds()
	return found, nil
}
