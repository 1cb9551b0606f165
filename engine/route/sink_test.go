package route_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/store/desk"
)

func TestAgainstPostfix(t *testing.T) {
	for _, res := range send(t, route.New(routetest.SMTPSink(t, 8), options()), 500) {
		check(t, res, desk.Accepted, desk.StageData, 250)
	}
}

// quickSink is the cheapest receiver that still reads every line: what is measured against it is our own cost.
func quickSink(b *testing.B, sessions int) desk.Carrier {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go quickTalk(c)
		}
	}()
	return desk.Carrier{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Sessions: sessions, Depth: 1}
}

func quickTalk(c net.Conn) {
	defer c.Close()
	in, out := bufio.NewReaderSize(c, 32*1024), bufio.NewWriter(c)
	body := false
	_, _ = out.WriteString("220 sink\r\n")
	for {
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return
		case body && len(line) != 3, body && line[0] != '.':
		case body:
			body = false
			_, _ = out.WriteString("250 ok\r\n")
		case bytes.HasPrefix(line, []byte("DATA")):
			body = true
			_, _ = out.WriteString("354 go\r\n")
		case bytes.HasPrefix(line, []byte("EHLO")):
			_, _ = out.WriteString("250-sink\r\n250 PIPELINING\r\n")
		default:
			_, _ = out.WriteString("250 ok\r\n")
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	data := []byte("Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("b", 76)+"\r\n", 20)) // 1.6 kB, as a composed mail
	for _, receiver := range []struct {
		name  string
		start func(*testing.B) desk.Carrier
	}{
		{"go-sink", func(b *testing.B) desk.Carrier { return quickSink(b, 16) }},
		{"smtp-sink", func(b *testing.B) desk.Carrier { return routetest.SMTPSink(b, 16) }},
	} {
		for _, depth := range []int{1, 0} {
			b.Run(fmt.Sprintf("%s/depth=%d", receiver.name, depth), func(b *testing.B) {
				carrier := receiver.start(b)
				carrier.Depth = depth
				items, results := make(chan route.Item, 64), make(chan route.Result, 64)
				r := route.New(carrier, options(func(o *route.Options) { o.Timeouts = route.Timeouts{} }))
				done := make(chan error, 1)
				go func() { done <- r.Run(b.Context(), items, results) }()
				b.ReportAllocs()
				b.ResetTimer()
				go func() {
					defer close(items)
					for i := range b.N {
						item, err := route.NewItem(desk.Mail{ID: desk.MailID(i)}, "taro.yamada1234a@docomo.example", "b-1.2@bounce.example", data)
						if err != nil {
							b.Error(err)
							return
						}
						items <- item
					}
				}()
				for range b.N {
					if res := <-results; res.Outcome != desk.Accepted {
						b.Errorf("%+v", res)
					}
				}
				b.StopTimer()
				if err := <-done; err != nil {
					b.Error(err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			})
		}
	}
}
