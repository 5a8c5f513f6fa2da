//go:build bench

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Other programs are asked the same of the same lines, where they are installed: ripgrep of the plain lines, ClickHouse of a table with
// their fields (not the lines themselves), ordered by address and time.
type peerPrograms struct {
	rg     string // "" is none
	file   string
	clicks string // address of a ClickHouse; "" is none
	lines  int
}

// peerValues is how many values each of them is asked for.
const peerValues = 11

func newPeers(t *testing.T, b *bed) *peerPrograms {
	t.Helper()
	p := &peerPrograms{file: b.file, lines: b.lines}
	p.rg, _ = exec.LookPath("rg")
	if p.rg == "" {
		t.Log("ripgrep (rg) is not installed: it is left out")
	}
	if err := p.startClicks(t, b); err != nil {
		t.Logf("ClickHouse is left out: %v", err)
		p.clicks = ""
	}
	return p
}

// beside says how long the others took, and of how much of that ours did.
func (p *peerPrograms) beside(t *testing.T, q question, ours time.Duration) string {
	var out []string
	say := func(name string, ask func(n int) error) {
		var took []time.Duration
		for n := range peerValues {
			begun := time.Now()
			if err := ask(n); err != nil {
				t.Logf("%s: %v", name, err)
				return
			}
			if n > 0 {
				took = append(took, time.Since(begun))
			}
		}
		slices.Sort(took)
		theirs := took[len(took)/2]
		out = append(out, fmt.Sprintf("%s %.0f ms (ours is %.2f of it)", name, theirs.Seconds()*1000, ours.Seconds()/theirs.Seconds()))
	}
	if p.rg != "" && q.plain != nil {
		say("rg", func(n int) error {
			c := exec.Command(p.rg, append(append([]string{"-c", "--no-config"}, q.plain(n)...), p.file)...)
			if err := c.Run(); err != nil && c.ProcessState.ExitCode() != 1 { // 1: nothing was found
				return err
			}
			return nil
		})
	}
	if p.clicks != "" {
		say("ClickHouse", func(n int) error { return p.click(q.clicks(n), nil) })
	}
	return strings.Join(out, "; ")
}

// click sends a statement, with a body behind it.
func (p *peerPrograms) click(statement string, body io.Reader) error {
	if body == nil {
		body = strings.NewReader("")
	}
	r, err := http.Post(p.clicks+"/?query="+url.QueryEscape(statement), "text/plain", body)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	said, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", r.Status, said)
	}
	return err
}

// startClicks starts a server of its own, on loopback, and fills it.
func (p *peerPrograms) startClicks(t *testing.T, b *bed) error {
	exe, args := "", []string(nil)
	if name, err := exec.LookPath("clickhouse-server"); err == nil {
		exe = name
	} else if name, err := exec.LookPath("clickhouse"); err == nil {
		exe, args = name, []string{"server"}
	} else {
		return fmt.Errorf("it is not installed")
	}
	dir := filepath.Join(filepath.Dir(b.file), "clickhouse")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	config := fmt.Sprintf(`<yandex><logger><level>error</level><log>%[1]s/log</log><errorlog>%[1]s/errors</errorlog></logger><listen_host>127.0.0.1</listen_host><http_port>%[2]d</http_port>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><users_config>%[1]s/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database><mark_cache_size>536870912</mark_cache_size></yandex>`, dir, port)
	users := `<yandex><profiles><default><max_threads>2</max_threads><use_uncompressed_cache>0</use_uncompressed_cache></default></profiles><users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users><quotas><default></default></quotas></yandex>`
	for _, sub := range []string{"data", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"config.xml": config, "users.xml": users} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, exe, append(args, "--config-file="+filepath.Join(dir, "config.xml"))...)
	if err := c.Start(); err != nil {
		stop()
		return err
	}
	t.Cleanup(func() {
		stop()
		_ = c.Wait()
	})
	p.clicks = fmt.Sprintf("http://127.0.0.1:%d", port)
	for n := 0; ; n++ {
		if err = p.click("SELECT 1", nil); err == nil {
			break
		}
		if n == 100 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return p.fillClicks(t)
}

func (p *peerPrograms) fillClicks(t *testing.T) error {
	const full = "SELECT throwIf(count() != %d) FROM hits"
	if p.click(fmt.Sprintf(full, p.lines), nil) == nil {
		return nil
	}
	if err := p.click("DROP TABLE IF EXISTS hits", nil); err != nil {
		return err
	}
	if err := p.click("CREATE TABLE hits (day Date, at DateTime, ip String, user String, session String, url String, status UInt16, bytes UInt32, millis UInt32, referrer String, agent String) ENGINE = MergeTree(day, (ip, at), 8192)", nil); err != nil {
		return err
	}
	begun := time.Now()
	f := newFill()
	for f.n < p.lines {
		r, w := io.Pipe()
		go func() {
			b := bufio.NewWriterSize(w, 1<<18)
			for range min(1_000_000, p.lines-f.n) {
				h := f.hit()
				fmt.Fprintf(b, "%s\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", h.at.Format(time.DateOnly), h.at.Unix(), h.ip, h.user, h.session, h.url, h.status, h.bytes, h.millis, h.referrer, h.agent)
			}
			_ = w.CloseWithError(b.Flush())
		}()
		if err := p.click("INSERT INTO hits FORMAT TabSeparated", r); err != nil {
			return err
		}
	}
	if err := p.click("OPTIMIZE TABLE hits FINAL", nil); err != nil { // it joins its parts now, and not beside the first questions
		return err
	}
	t.Logf("ClickHouse took %v to be filled", time.Since(begun).Round(time.Second))
	return nil
}
