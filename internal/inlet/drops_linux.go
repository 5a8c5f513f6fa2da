package inlet

import (
	"encoding/binary"
	"net"

	"golang.org/x/sys/unix"
)

// countDrops asks the kernel to say beside each datagram how many it had to drop on the socket so far (socket(7), SO_RXQ_OVFL).
func countDrops(c *net.UDPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1) }); err != nil {
		return err
	}
	return set
}

// dropsIn returns what the kernel said.
func dropsIn(side []byte) (uint32, bool) {
	if len(side) == 0 {
		return 0, false
	}
	all, err := unix.ParseSocketControlMessage(side)
	if err != nil {
		return 0, false
	}
	for _, m := range all {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data), true
		}
	}
	return 0, false
}
