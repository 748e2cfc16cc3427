// The peer for the in-process cases: nats-server embedded in a Go program, used with the Go client over InProcessConn or
// loopback. It reads one case as JSON from its argument and prints the result as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

type benchCase struct {
	Kind     string `json:"kind"` // "fan", "request", "start" or "memory"
	Size     int    `json:"size"`
	Count    int    `json:"count"`
	Loopback bool   `json:"loopback"`
}

type result struct {
	Rate  float64 `json:"rate,omitempty"`
	P50   float64 `json:"p50,omitempty"` // µs
	P99   float64 `json:"p99,omitempty"` // µs
	Ms    float64 `json:"ms,omitempty"`
	Bytes float64 `json:"bytes,omitempty"`
	Go    string  `json:"go"`
	Nats  string  `json:"nats"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(loopback bool) *server.Server {
	s, err := server.NewServer(&server.Options{DontListen: !loopback, Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	check(err)
	s.Start()
	if !s.ReadyForConnections(5 * time.Second) {
		check(fmt.Errorf("the server is not ready"))
	}
	return s
}

func connect(s *server.Server, loopback bool) *nats.Conn {
	opt := nats.InProcessServer(s)
	if loopback {
		opt = func(*nats.Options) error { return nil }
	}
	nc, err := nats.Connect(s.ClientURL(), opt)
	check(err)
	return nc
}

var sink atomic.Uint64

func fan(c benchCase) result {
	s := start(c.Loopback)
	a, b := connect(s, c.Loopback), connect(s, c.Loopback)
	var got atomic.Int64
	done := make(chan struct{})
	sub, err := a.Subscribe("bench", func(m *nats.Msg) {
		sink.Add(uint64(m.Data[0]))
		if got.Add(1) == int64(c.Count) {
			close(done)
		}
	})
	check(err)
	sub.SetPendingLimits(-1, -1)
	check(a.Flush())
	payload := make([]byte, c.Size)
	began := time.Now()
	for i := 0; i < c.Count; i++ {
		check(b.Publish("bench", payload))
	}
	check(b.Flush())
	<-done
	return result{Rate: float64(c.Count) / time.Since(began).Seconds()}
}

func request(c benchCase) result {
	s := start(c.Loopback)
	a, b := connect(s, c.Loopback), connect(s, c.Loopback)
	_, err := a.Subscribe("service", func(m *nats.Msg) { check(m.Respond(m.Data)) })
	check(err)
	check(a.Flush())
	payload := make([]byte, c.Size)
	times := make([]float64, c.Count)
	began := time.Now()
	for i := 0; i < c.Count; i++ {
		one := time.Now()
		_, err := b.Request("service", payload, time.Second)
		check(err)
		times[i] = float64(time.Since(one).Nanoseconds()) / 1000
	}
	total := time.Since(began)
	sort.Float64s(times)
	return result{Rate: float64(c.Count) / total.Seconds(), P50: times[c.Count/2], P99: times[c.Count*99/100]}
}

// From nothing to the first message that came, in ms.
func startToFirst(c benchCase) result {
	began := time.Now()
	s := start(c.Loopback)
	a, b := connect(s, c.Loopback), connect(s, c.Loopback)
	done := make(chan struct{})
	_, err := a.Subscribe("bench", func(m *nats.Msg) { close(done) })
	check(err)
	check(a.Flush())
	check(b.Publish("bench", []byte("hello")))
	check(b.Flush())
	<-done
	return result{Ms: float64(time.Since(began).Nanoseconds()) / 1e6}
}

func main() {
	var c benchCase
	check(json.Unmarshal([]byte(os.Args[1]), &c))
	var r result
	switch c.Kind {
	case "fan":
		r = fan(c)
	case "request":
		r = request(c)
	case "start":
		r = startToFirst(c)
	default:
		check(fmt.Errorf("unknown case %q", c.Kind))
	}
	r.Go, r.Nats = runtime.Version(), server.VERSION
	check(json.NewEncoder(os.Stdout).Encode(r))
}
