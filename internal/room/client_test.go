package room

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// A house is a room server as a browser finds it, on loopback, with what it told its caller.
type house struct {
	*Rooms
	t   *testing.T
	url string

	mu     sync.Mutex
	marks  []Mark
	refuse bool // the caller cannot write marks down
}

// newHouse starts one. change may set options.
func newHouse(t *testing.T, change func(*Options)) *house {
	t.Helper()
	h := &house{t: t}
	o := Options{UDP: "127.0.0.1:0", Key: bytes.Repeat([]byte{7}, 32), Told: h.told}
	if change != nil {
		change(&o)
	}
	rs, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.Rooms = rs
	mux := http.NewServeMux()
	mux.Handle("/room/", http.StripPrefix("/room", rs.Handler()))
	s := httptest.NewServer(mux)
	h.url = s.URL + "/room"
	t.Cleanup(func() {
		if err := rs.Close(); err != nil {
			t.Error(err)
		}
		s.CloseClientConnections()
		s.Close()
	})
	return h
}

func (h *house) told(m Mark) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse {
		return io.ErrShortWrite
	}
	h.marks = append(h.marks, m)
	return nil
}

// kinds words the marks so far: "joined anna, left anna".
func (h *house) kinds() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, m := range h.marks {
		out = append(out, strings.TrimSpace(m.Kind+" "+m.Name))
	}
	return strings.Join(out, ", ")
}

func (h *house) seal(t Ticket) string {
	h.t.Helper()
	if t.Until.IsZero() {
		t.Until = time.Now().Add(time.Hour)
	}
	if t.Room == "" {
		t.Room = "12"
	}
	code, err := h.Seal(t)
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

// ask posts to the house, and returns the status and what it said.
func (h *house) ask(path, secret string, body, into any) (int, string) {
	h.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", h.url+path, bytes.NewReader(b))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+secret)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err = io.ReadAll(a.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if into != nil && a.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, into); err != nil {
			h.t.Fatal(err)
		}
	}
	var no struct{ Says string }
	if a.StatusCode >= 400 {
		if err := json.Unmarshal(b, &no); err != nil || no.Says == "" {
			h.t.Fatalf("%s: status %d without a sentence: %s", path, a.StatusCode, b)
		}
	}
	return a.StatusCode, no.Says
}

// A client is somebody in a room, without a browser: it sends packets whose payload begins with its mark.
type client struct {
	h      *house
	seat   int
	secret string
	pc     *webrtc.PeerConnection
	track  *webrtc.TrackLocalStaticRTP

	mu    sync.Mutex
	heard map[byte]int // packets by mark
	order []uint16     // sequence numbers of the first lane that was heard
	lane  string
	wire  *wire // nil: not looked at
	seen  []View
	gone  string
}

// enter joins without sound.
func (h *house) enter(code string) *client {
	h.t.Helper()
	c := &client{h: h, heard: map[byte]int{}}
	var got struct {
		Seat   int
		Secret string
	}
	if status, says := h.ask("/join", "", map[string]string{"code": code}, &got); status != http.StatusOK {
		h.t.Fatalf("joining: %d %s", status, says)
	}
	c.seat, c.secret = got.Seat, got.Secret
	return c
}

// follow takes in what the page would show.
func (c *client) follow() {
	r, err := http.NewRequest("GET", c.h.url+"/changes", nil)
	if err != nil {
		c.h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.secret)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		c.h.t.Fatal(err)
	}
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		c.h.t.Fatalf("following: %d", a.StatusCode)
	}
	var done sync.WaitGroup
	done.Go(func() {
		kind := ""
		for s := bufio.NewScanner(a.Body); s.Scan(); {
			if k, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				kind = k
			}
			data, ok := strings.CutPrefix(s.Text(), "data: ")
			if !ok {
				continue
			}
			c.mu.Lock()
			var v View
			var gone struct{ Says string }
			if kind == "gone" && json.Unmarshal([]byte(data), &gone) == nil {
				c.gone = gone.Says
			} else if json.Unmarshal([]byte(data), &v) == nil {
				c.seen = append(c.seen, v)
			}
			c.mu.Unlock()
		}
	})
	c.h.t.Cleanup(func() { a.Body.Close(); done.Wait() })
}

func (c *client) view() (v View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) > 0 {
		v = c.seen[len(c.seen)-1]
	}
	return v
}

// dial makes the connection, as room.js does.
func (c *client) dial(types ...webrtc.NetworkType) {
	t := c.h.t
	t.Helper()
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if len(types) > 0 {
		se.SetNetworkTypes(types)
	}
	if c.wire != nil {
		mux := webrtc.NewICEUDPMux(nil, c.wire)
		t.Cleanup(func() { mux.Close() })
		se.SetICEUDPMux(mux)
	}
	var me webrtc.MediaEngine
	if err := me.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(se), webrtc.WithMediaEngine(&me)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	c.pc = pc
	mic, err := webrtc.NewTrackLocalStaticRTP(opus.RTPCodecCapability, "mic", "mic")
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.track = mic
	c.mu.Unlock()
	if _, err := pc.AddTransceiverFromTrack(mic, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	for range Speakers {
		if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			c.mu.Lock()
			if len(p.Payload) > 1 {
				c.heard[p.Payload[1]]++
			}
			if c.lane == "" {
				c.lane = track.StreamID()
			}
			if c.lane == track.StreamID() {
				c.order = append(c.order, p.SequenceNumber)
			}
			c.mu.Unlock()
		}
	})
	c.negotiate(nil, true)
	c.h.soon("a connection", func() bool { return pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
}

// negotiate offers, and takes the answer.
func (c *client) negotiate(o *webrtc.OfferOptions, anew bool) {
	t := c.h.t
	t.Helper()
	offer, err := c.pc.CreateOffer(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	var got struct{ SDP string }
	if status, says := c.h.ask("/offer", c.secret, map[string]any{"sdp": offer.SDP, "anew": anew}, &got); status != http.StatusOK {
		t.Fatalf("offering: %d %s", status, says)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: got.SDP}); err != nil {
		t.Fatal(err)
	}
}

// say sends frames of 20 ms that begin with mark, until stop is closed.
func (c *client) say(mark byte, stop <-chan struct{}, done *sync.WaitGroup) {
	done.Go(func() {
		payload := append([]byte{0x78, mark}, bytes.Repeat([]byte{mark}, 60)...) // hybrid, fullband, 20 ms, mono
		packet := rtpPacket(0, payload)
		t := time.NewTicker(20 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
				packet.SequenceNumber++
				packet.Timestamp += 960
				c.mu.Lock()
				mic := c.track
				c.mu.Unlock()
				if mic.WriteRTP(packet) != nil {
					return
				}
			}
		}
	})
}

// count returns how many packets with a mark were heard.
func (c *client) count(mark byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[mark]
}

// soon waits for something.
func (h *house) soon(what string, is func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("not within 20 s: %s (marks: %s)", what, h.kinds())
		}
	}
}

// more waits until c has heard n more packets with the mark.
func (c *client) more(mark byte, n int) {
	c.h.t.Helper()
	was := c.count(mark)
	c.h.soon(fmt.Sprintf("%d more packets of %c at seat %d", n, mark, c.seat), func() bool { return c.count(mark) >= was+n })
}
