package room

import (
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const (
	loudAt    = 50  // dB below the loudest that can be sent (RFC 6464): a voice is at 10 to 45, a quiet room beyond 60
	quietSize = 20  // bytes: without RFC 6464, a smaller packet is silence
	rate      = 120 // packets a second that one seat may send: a browser sends 50, or 100 of 10 ms
	clock     = 48  // RTP timestamps of Opus in a millisecond (RFC 7587)
)

// read takes the packets of a seat until its connection ends.
func (r *Room) read(s *seat, p *peer, t *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	level := uint8(0)
	for _, x := range receiver.GetParameters().HeaderExtensions {
		if x.URI == sdp.AudioLevelURI {
			level = uint8(x.ID)
		}
	}
	allowed, filled := float64(rate), time.Now()
	for {
		packet, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		at := time.Now()
		allowed = min(rate, allowed+rate*at.Sub(filled).Seconds())
		filled = at
		if allowed < 1 || len(packet.Payload) == 0 {
			continue
		}
		allowed--
		s.alive.Store(at.UnixNano())
		r.forward(s, p, packet, isLoud(packet, level), at)
	}
}

// isLoud reads the level that the sender measured (RFC 6464, section 3): 0 is loudest, 127 is silence. level is 0 if it sends none.
func isLoud(p *rtp.Packet, level uint8) bool {
	var x rtp.AudioLevelExtension
	b := p.GetExtension(level)
	if level == 0 || b == nil || x.Unmarshal(b) != nil {
		return len(p.Payload) >= quietSize
	}
	return x.Level <= loudAt
}

// forward hands a packet to everybody else, unless its sender is muted or has no place on the stage.
func (r *Room) forward(s *seat, p *peer, packet *rtp.Packet, loud bool, at time.Time) {
	r.mu.Lock()
	if s.muted || s.silenced || s.peer != p {
		r.mu.Unlock()
		return
	}
	if loud {
		s.heard = at
	}
	place, turn, ok := r.stage.take(s.number, loud, at)
	listeners, tape := r.listeners, r.tape
	r.mu.Unlock()
	if tape != nil {
		tape.hear(s, packet.Timestamp, packet.Payload, at)
	}
	if !ok {
		return
	}
	for _, l := range listeners {
		if l.seat != s.number {
			l.peer.lanes[place].write(packet, turn, at)
		}
	}
}

// A lane is one of the streams that a listener gets. What comes in it is renumbered, so that it is one stream to the browser
// although speakers change: sequence numbers follow each other, and timestamps go on by the time that has passed.
type lane struct {
	track *webrtc.TrackLocalStaticRTP

	mu    sync.Mutex
	turn  uint64
	seq   uint16 // added to those of the turn
	stamp uint32
	last  rtp.Header // the newest that was sent
	at    time.Time  // when
}

// write sends a packet of a turn. One of an earlier turn comes too late, and is dropped.
func (l *lane) write(p *rtp.Packet, turn uint64, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if turn < l.turn {
		return
	}
	first := turn != l.turn
	if first {
		passed := uint32(20 * clock)
		if !l.at.IsZero() {
			passed = max(passed, uint32(min(at.Sub(l.at), time.Hour).Milliseconds())*clock)
		}
		l.turn, l.seq, l.stamp = turn, l.last.SequenceNumber+1-p.SequenceNumber, l.last.Timestamp+passed-p.Timestamp
	}
	h := rtp.Header{Version: 2, Marker: first || p.Marker, SequenceNumber: p.SequenceNumber + l.seq, Timestamp: p.Timestamp + l.stamp}
	if first || int16(h.SequenceNumber-l.last.SequenceNumber) > 0 {
		l.last, l.at = h, at
	}
	// An error is a connection that is not up, or ends: its state says so.
	_ = l.track.WriteRTP(&rtp.Packet{Header: h, Payload: p.Payload})
}

// voices marks who speaks, and tells the pages if that, or the lanes, changed.
func (r *Room) voices(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for _, s := range r.seats {
		speaks := at.Sub(s.heard) < 600*time.Millisecond
		changed = changed || speaks != s.speaking
		s.speaking = speaks
	}
	if changed {
		r.stir()
	}
}
