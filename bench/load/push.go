package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	text = 1
	shut = 8
	ping = 9
	pong = 10
)

// frame is a text frame that came, and when.
type frame struct {
	words []byte
	at    time.Time
}

// listen opens the WebSocket of an agent.
func listen(o options, agent string) (*connection, error) {
	c, err := dial(o.address)
	if err != nil {
		return nil, err
	}
	path := "/ws/agents/" + agent + "?project=" + url.QueryEscape(o.project)
	asked := "GET " + path + " HTTP/1.1\r\nHost: " + c.host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte(asked)); err != nil {
		return nil, err
	}
	status, _, err := c.head()
	if err == nil && status != 101 {
		err = fmt.Errorf("%s: %d", path, status)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, c.SetDeadline(time.Time{})
}

// read returns the opcode and the payload of the next frame. Servers neither mask nor, here, split.
func (c *connection) read() (byte, []byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		var more [2]byte
		if _, err := io.ReadFull(c.in, more[:]); err != nil {
			return 0, nil, err
		}
		length = uint64(binary.BigEndian.Uint16(more[:]))
	case 127:
		return 0, nil, fmt.Errorf("a frame beyond what clients read")
	}
	payload := make([]byte, length)
	_, err := io.ReadFull(c.in, payload)
	return head[0] & 0x0f, payload, err
}

// follow hands on every text frame until the connection ends, and answers pings.
func (c *connection) follow(frames chan<- frame) error {
	for {
		kind, words, err := c.read()
		if err != nil {
			return err
		}
		switch kind {
		case text:
			frames <- frame{words: words, at: time.Now()}
		case shut:
			return fmt.Errorf("closed: %q", words)
		case ping: // a client's frames are masked; with zeros the words stay what they are
			answer := append([]byte{0x80 | pong, 0x80 | byte(len(words)), 0, 0, 0, 0}, words...)
			if _, err := c.Write(answer); err != nil {
				return err
			}
		}
	}
}

// push opens all sockets, says so, waits for a line, and then times one message after the other to its frame.
func push(o options) (result, error) {
	frames := make(chan frame, o.sockets)
	ended := make(chan error, o.sockets)
	var open sync.Mutex
	sockets := make([]*connection, 0, o.sockets)
	var all sync.WaitGroup
	failed := make(chan error, 8)
	for opener := 0; opener < cap(failed); opener++ {
		all.Add(1)
		go func(first int) {
			defer all.Done()
			for n := first; n < o.sockets; n += cap(failed) {
				c, err := listen(o, "agent-"+strconv.Itoa(n))
				if err != nil {
					failed <- err
					return
				}
				go func() { ended <- c.follow(frames) }()
				open.Lock()
				sockets = append(sockets, c)
				open.Unlock()
			}
		}(opener)
	}
	all.Wait()
	if len(failed) > 0 {
		return result{}, <-failed
	}
	fmt.Println("open")
	go func() { // whoever waits for the line may read the memory of the service meanwhile
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			ended <- err
		}
		close(failed)
	}()
	select {
	case <-failed:
	case err := <-ended:
		return result{}, err
	}
	found, err := exchange(o, frames, ended)
	for _, c := range sockets {
		c.Close()
	}
	return found, err
}

func exchange(o options, frames <-chan frame, ended <-chan error) (result, error) {
	c, err := dial(o.address)
	if err != nil {
		return result{}, err
	}
	defer c.Close()
	var found result
	var content []byte
	body := strings.Repeat("x", o.bytes)
	begun := time.Now()
	for number := 0; number < o.count; number++ {
		id := fmt.Sprintf("%s-push-%d", o.run, number)
		to := []string{"agent-" + strconv.Itoa(number*37%o.sockets)}
		content = message(content, o, id, "sender-0", to, body)
		at := time.Now()
		if _, err := c.ask("POST", "/api/messages", content); err != nil {
			return result{}, err
		}
		found.Answers = append(found.Answers, time.Since(at).Microseconds())
		select {
		case came := <-frames:
			if !bytes.Contains(came.words, []byte(id)) {
				return result{}, fmt.Errorf("not the message %s: %s", id, came.words)
			}
			found.Micros = append(found.Micros, came.at.Sub(at).Microseconds())
		case err := <-ended:
			return result{}, err
		case <-time.After(patience):
			return result{}, fmt.Errorf("no frame for %s", id)
		}
		time.Sleep(2 * time.Millisecond) // a push is timed, not a queue
	}
	found.Seconds = time.Since(begun).Seconds()
	return found, nil
}
