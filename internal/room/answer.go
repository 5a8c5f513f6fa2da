package room

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// A peer is the connection with one browser.
type peer struct {
	pc    *webrtc.PeerConnection
	lanes [Speakers]*lane
	mids  [Speakers]string // of the lanes, by which the browser knows them
	fed   atomic.Bool      // its stream has come
	reads sync.WaitGroup   // of what the browser reports
}

// close ends the connection and waits for what was read from it. A nil peer is none.
func (p *peer) close(log *slog.Logger) {
	if p == nil {
		return
	}
	if err := p.pc.Close(); err != nil {
		log.Debug("closing a connection of the war room", "error", err)
	}
	p.reads.Wait()
}

// connect answers an offer: of the connection that there is, which restarts its ICE, or of a new one if anew or if there is none.
// The answer holds all candidates of the server. It takes a second at most.
func (s *seat) connect(ctx context.Context, offer string, anew bool) (answer string, err error) {
	if err := checkOffer(offer); err != nil {
		return "", err
	}
	s.offers.Lock()
	defer s.offers.Unlock()
	r := s.room
	r.mu.Lock()
	p := s.peer
	r.mu.Unlock()
	if p != nil && !anew && p.pc.ConnectionState() != webrtc.PeerConnectionStateClosed {
		return p.answer(ctx, offer)
	}
	next, err := r.newPeer(s)
	if err != nil {
		return "", err
	}
	answer, err = next.answer(ctx, offer)
	if err != nil {
		next.close(r.rs.o.Log)
		return "", err
	}
	r.mu.Lock()
	old, here := s.peer, r.seats[s.number] == s
	if here {
		s.peer, s.connected = next, next.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
		r.relist()
		r.stir()
	}
	r.mu.Unlock()
	if !here { // it left meanwhile
		next.close(r.rs.o.Log)
		return "", Refusal{Status: http.StatusGone, Says: "You are not in this room any more."}
	}
	old.close(r.rs.o.Log)
	return answer, nil
}

// newPeer makes a connection that takes one stream and gives Speakers lanes.
func (r *Room) newPeer(s *seat) (*peer, error) {
	pc, err := r.rs.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("making a connection of the war room: %w", err)
	}
	p := &peer{pc: pc}
	if err := p.addLanes(); err != nil {
		p.close(r.rs.o.Log)
		return nil, fmt.Errorf("making the lanes of a connection of the war room: %w", err)
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		if p.fed.CompareAndSwap(false, true) {
			r.read(s, p, t, receiver)
		}
	})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if s.peer == p {
			s.connected = state == webrtc.PeerConnectionStateConnected
			r.stir()
		}
	})
	return p, nil
}

// addLanes adds what goes in and out.
func (p *peer) addLanes() error {
	_, err := p.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		return err
	}
	for i := range p.lanes {
		t, err := webrtc.NewTrackLocalStaticRTP(opus.RTPCodecCapability, "lane", "lane"+strconv.Itoa(i))
		if err != nil {
			return err
		}
		tr, err := p.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		p.lanes[i] = &lane{track: t}
		p.reads.Go(func() { // reports have to be read, or their buffer runs full
			b := make([]byte, 1500)
			for {
				if _, _, err := tr.Sender().Read(b); err != nil {
					return
				}
			}
		})
	}
	return nil
}

// answer negotiates with a checked offer.
func (p *peer) answer(ctx context.Context, offer string) (string, error) {
	ctx, done := context.WithTimeout(ctx, 5*time.Second)
	defer done()
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", unfit("its offer does not fit (%.200s)", err)
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", unfit("its offer cannot be answered (%.200s)", err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", unfit("its offer cannot be answered (%.200s)", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", Refusal{Status: http.StatusServiceUnavailable, Says: "The server did not find its own addresses in time. Try again.", After: time.Second}
	}
	if p.mids[0] != "" {
		return p.pc.LocalDescription().SDP, nil // the lanes are as they were
	}
	sending := 0
	for _, t := range p.pc.GetTransceivers() {
		if t.Direction() == webrtc.RTPTransceiverDirectionSendonly && sending < Speakers {
			p.mids[sending] = t.Mid()
			sending++
		}
	}
	return p.pc.LocalDescription().SDP, nil
}
