package room

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// opus is the only codec (RFC 7587). What the room asks of a browser: speech at 32 kbit/s, with the data that mends a lost packet.
var opus = webrtc.RTPCodecParameters{
	RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1;maxaveragebitrate=32000"},
	PayloadType:        111,
}

// listen opens the ports and makes the WebRTC of all rooms.
func listen(o Options) (*webrtc.API, []io.Closer, error) {
	var se webrtc.SettingEngine
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled // it would log what strangers send
	se.LoggerFactory = quiet
	se.SetLite(true)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.DisableActiveTCP(true)
	se.SetICETimeouts(6*time.Second, 20*time.Second, 2*time.Second)
	if err := announce(&se, o.Public); err != nil {
		return nil, nil, err
	}
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	udp, loopback, err := listenUDP(o.UDP, quiet)
	if err != nil {
		return nil, nil, err
	}
	sockets := []io.Closer{udp}
	se.SetICEUDPMux(udp)
	if o.TCP != "" {
		l, err := net.Listen("tcp", o.TCP)
		if err != nil {
			udp.Close()
			return nil, nil, fmt.Errorf("the war room cannot listen on TCP %s: %w. Choose another address in its settings, or leave it empty", o.TCP, err)
		}
		tcp := ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: l, Logger: quiet.NewLogger("ice"), ReadBufferSize: 64, WriteBufferSize: 256 << 10, FirstStunBindTimeout: 5 * time.Second, AliveDurationForConnFromStun: 10 * time.Second})
		se.SetICETCPMux(tcp)
		sockets = append(sockets, tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	se.SetNetworkTypes(types)
	se.SetIncludeLoopbackCandidate(loopback)

	var me webrtc.MediaEngine
	var ir interceptor.Registry
	err = me.RegisterCodec(opus, webrtc.RTPCodecTypeAudio)
	if err == nil {
		err = me.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}, webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverDirectionRecvonly)
	}
	if err == nil {
		err = webrtc.ConfigureRTCPReports(&ir)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("setting up WebRTC for the war room: %w", err)
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(se), webrtc.WithMediaEngine(&me), webrtc.WithInterceptorRegistry(&ir)), sockets, nil
}

// announce adds the public addresses to those that answers name.
func announce(se *webrtc.SettingEngine, public []string) error {
	if len(public) == 0 {
		return nil
	}
	for _, p := range public {
		a, err := netip.ParseAddr(p)
		if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			return fmt.Errorf("the war room cannot announce %q: a public address is an IP address without a name or a port, as in 198.51.100.7", p)
		}
	}
	err := se.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{External: public, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteAppend})
	if err != nil {
		return fmt.Errorf("the war room cannot announce its public addresses: %w", err)
	}
	return nil
}

// listenUDP opens the port on one address, or on every address of the machine when none is named. It reports whether that is loopback.
func listenUDP(address string, quiet logging.LoggerFactory) (ice.UDPMux, bool, error) {
	if address == "" {
		address = ":0"
	}
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, false, fmt.Errorf("the war room cannot listen on UDP %q: %w. Write an address as in 0.0.0.0:7443", address, err)
	}
	log := quiet.NewLogger("ice")
	if a.IP == nil || a.IP.IsUnspecified() {
		mux, err := ice.NewMultiUDPMuxFromPort(a.Port, ice.UDPMuxFromPortWithLogger(log), ice.UDPMuxFromPortWithReadBufferSize(1<<20), ice.UDPMuxFromPortWithWriteBufferSize(1<<20))
		if err != nil {
			return nil, false, fmt.Errorf("the war room cannot listen on UDP %s: %w. Choose another port in its settings", address, err)
		}
		return mux, false, nil
	}
	c, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, false, fmt.Errorf("the war room cannot listen on UDP %s: %w. Choose another address in its settings", address, err)
	}
	return ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: log, UDPConn: c}), a.IP.IsLoopback(), nil // which closes c
}
