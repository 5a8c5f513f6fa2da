//go:build bench

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"tocsin/internal/room"
)

// The goals of a full room: what it may cost the server.
const (
	roomCPUGoal    = 0.6      // of one processor, with all seats taken and as many speaking as are forwarded
	roomMemoryGoal = 40 << 20 // bytes of heap, with all seats taken
	roomLossGoal   = 0.01     // of the packets that should have been heard
)

// TestRoomOfThirty takes every seat of one room with real WebRTC clients, which live in a process of their own so that what this one uses is the server's. It
// measures while nobody speaks, while as many speak as are forwarded, and while everybody speaks; then all leave, and what they took is given back.
func TestRoomOfThirty(t *testing.T) {
	if server := os.Getenv("TOCSIN_BENCH_ROOM"); server != "" {
		seats(t, server)
		return
	}
	rs, err := room.New(room.Options{UDP: "127.0.0.1:0", Key: bytes.Repeat([]byte{5}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/room/", http.StripPrefix("/room", rs.Handler()))
	mux.HandleFunc("/code/{n}", func(w http.ResponseWriter, r *http.Request) {
		code, err := rs.Seal(room.Ticket{Room: "1", Name: "Person " + r.PathValue("n"), Person: r.PathValue("n"), Until: time.Now().Add(time.Hour)})
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, code)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	heap, routines := settledHeap(), runtime.NumGoroutine()

	cmd := exec.Command(os.Args[0], "-test.run", "^TestRoomOfThirty$", "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), "TOCSIN_BENCH_ROOM="+server.URL)
	tell, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	says := bufio.NewScanner(out)
	ask := func(command string) int64 {
		t.Helper()
		if command != "" {
			fmt.Fprintln(tell, command)
		}
		for says.Scan() {
			if n, ok := strings.CutPrefix(says.Text(), "room: "); ok {
				v, err := strconv.ParseInt(n, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
		}
		t.Fatal("the clients have ended")
		return 0
	}
	if n := ask(""); n != room.Seats {
		t.Fatalf("%d clients are connected", n)
	}
	const long = 10 * time.Second
	for _, speak := range []int{0, room.Speakers, room.Seats} {
		ask("speak " + strconv.Itoa(speak))
		time.Sleep(2 * time.Second)
		was, used := ask("heard"), processorUsed()
		begun := time.Now()
		time.Sleep(long)
		took := time.Since(begun)
		cpu, heard := (processorUsed()-used).Seconds()/took.Seconds(), ask("heard")-was
		forwarded := min(speak, room.Speakers)
		streams := forwarded*room.Seats - forwarded // nobody is sent their own
		wanted := float64(streams) * took.Seconds() * 50
		each, lost := 0., 0.
		if streams > 0 {
			each, lost = cpu/float64(streams)*100, max(0, 1-float64(heard)/wanted)
		}
		t.Logf("%d seats, %2d speak: %3d streams out, %.1f %% of one processor (%.3f %% a stream), %.1f MiB of heap, %.2f %% lost", room.Seats, speak, streams, cpu*100, each, float64(settledHeap()-heap)/(1<<20), lost*100)
		if cpu > roomCPUGoal && speak <= room.Speakers {
			t.Errorf("it uses %.2f processors, and may use %.2f", cpu, roomCPUGoal)
		}
		if speak == room.Speakers && lost > roomLossGoal {
			t.Errorf("%.2f %% were lost, and %.2f %% may be", lost*100, roomLossGoal*100)
		}
		if got := settledHeap() - heap; got > roomMemoryGoal {
			t.Errorf("the heap grew by %d bytes, and may by %d", got, roomMemoryGoal)
		}
	}
	tell.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	server.CloseClientConnections()
	for end := time.Now().Add(40 * time.Second); rs.People("1") != nil || runtime.NumGoroutine() > routines+20; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("after all have left, %d are in and %d goroutines run; before it were %d", len(rs.People("1")), runtime.NumGoroutine(), routines)
			break
		}
	}
	t.Logf("after all have left: %.1f MiB of heap more than before, %d goroutines more", float64(settledHeap()-heap)/(1<<20), runtime.NumGoroutine()-routines)
	if got := settledHeap() - heap; got > 16<<20 {
		t.Errorf("%d bytes stay", got)
	}
	if err := rs.Close(); err != nil {
		t.Error(err)
	}
}

// settledHeap is how many bytes of the heap are used after what is not needed was collected.
func settledHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// processorUsed is what this process has used of processors.
func processorUsed() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// seats is the other process: every seat of the room, each with a connection as a browser makes it. It obeys lines: "speak 8" lets the first eight speak,
// "heard" answers how many packets all have heard; it leaves at the end of its input.
func seats(t *testing.T, server string) {
	var heard, speak atomic.Int64
	ask := func(path, secret string, body, into any) {
		b, err := json.Marshal(body)
		if err != nil {
			t.Error(err)
			return
		}
		r, err := http.NewRequest(http.MethodPost, server+path, bytes.NewReader(b))
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+secret)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer a.Body.Close()
		if a.StatusCode >= 300 {
			b, _ := io.ReadAll(a.Body)
			t.Errorf("%s: %d %s", path, a.StatusCode, b)
		} else if into != nil {
			if err := json.NewDecoder(a.Body).Decode(into); err != nil {
				t.Error(err)
			}
		}
	}
	stop := make(chan struct{})
	var done sync.WaitGroup
	var secrets []string
	for n := range room.Seats {
		a, err := http.Get(server + "/code/" + strconv.Itoa(n))
		if err != nil {
			t.Fatal(err)
		}
		code, _ := io.ReadAll(a.Body)
		a.Body.Close()
		var in struct {
			Seat   int
			Secret string
		}
		ask("/room/join", "", map[string]string{"code": string(code)}, &in)
		secrets = append(secrets, in.Secret)
		follow, err := http.NewRequest(http.MethodGet, server+"/room/changes", nil)
		if err != nil {
			t.Fatal(err)
		}
		follow.Header.Set("Authorization", "Bearer "+in.Secret)
		changes, err := http.DefaultClient.Do(follow)
		if err != nil {
			t.Fatal(err)
		}
		done.Go(func() { _, _ = io.Copy(io.Discard, changes.Body) })
		pc, mic := connection(t, &heard)
		defer pc.Close()
		offer, err := pc.CreateOffer(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := pc.SetLocalDescription(offer); err != nil {
			t.Fatal(err)
		}
		var got struct{ SDP string }
		ask("/room/offer", in.Secret, map[string]any{"sdp": offer.SDP, "anew": true}, &got)
		if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: got.SDP}); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); pc.ConnectionState() != webrtc.PeerConnectionStateConnected; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("client %d does not connect", n)
			}
		}
		ask("/room/mute", in.Secret, map[string]any{"seat": in.Seat, "muted": false}, nil)
		done.Go(func() {
			packet := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: append([]byte{0x78}, bytes.Repeat([]byte{byte(n)}, 79)...)} // 20 ms at 32 kbit/s
			t, alive := time.NewTicker(20*time.Millisecond), time.NewTicker(5*time.Second)
			defer t.Stop()
			defer alive.Stop()
			for {
				select {
				case <-stop:
					return
				case <-alive.C:
					ask("/room/alive", in.Secret, struct{}{}, nil)
				case <-t.C:
					packet.SequenceNumber++
					packet.Timestamp += 960
					if int64(n) < speak.Load() && mic.WriteRTP(packet) != nil {
						return
					}
				}
			}
		})
	}
	fmt.Printf("room: %d\n", len(secrets))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch command, n, _ := strings.Cut(lines.Text(), " "); command {
		case "speak":
			v, _ := strconv.ParseInt(n, 10, 64)
			speak.Store(v)
			fmt.Println("room: 0")
		case "heard":
			fmt.Printf("room: %d\n", heard.Load())
		}
	}
	close(stop)
	for _, s := range secrets {
		ask("/room/leave", s, struct{}{}, nil)
	}
	done.Wait()
}

// connection makes one as the page's script does: one track out, and as many in as the room forwards.
func connection(t *testing.T, heard *atomic.Int64) (*webrtc.PeerConnection, *webrtc.TrackLocalStaticRTP) {
	t.Helper()
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	var me webrtc.MediaEngine
	if err := me.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(se), webrtc.WithMediaEngine(&me)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	mic, err := webrtc.NewTrackLocalStaticRTP(opus, "mic", "mic")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromTrack(mic, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	for range room.Speakers {
		if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for b := make([]byte, 1500); ; {
			if _, _, err := track.Read(b); err != nil {
				return
			}
			heard.Add(1)
		}
	})
	return pc, mic
}
