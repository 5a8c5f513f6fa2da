package plan

import "testing"

// TestWebAddresses: what goes in the clear stays on this machine, whatever a name begins with.
func TestWebAddresses(t *testing.T) {
	c, ok := ChannelOf(Webhook)
	if !ok {
		t.Fatal("there is no such channel")
	}
	for address, good := range map[string]bool{
		"https://hooks.example.com/x": true, "http://localhost:8080/x": true, "http://127.0.0.2/x": true, "http://[::1]/x": true,
		"http://127.evil.example/x": false, "http://hooks.example.com/x": false, "http://169.254.169.254/latest": false, "http://localhost.evil.example/x": false,
		"https://user:word@hooks.example.com/x": false, "file:///etc/passwd": false, "https:///x": false,
	} {
		if err := c.Check(address); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
}
