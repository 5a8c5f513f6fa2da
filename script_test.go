package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"tocsin/internal/cacao"
)

// TestMain lets scripts run the program under its own name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tocsin": main})
}

// TestScript runs the sessions in script/*.txt with the real program.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			return nil
		},
		Condition: func(c string) (bool, error) {
			switch c {
			case "root":
				return os.Getuid() == 0, nil
			case "cacao":
				found, err := filepath.Glob(cacaoExamples)
				return len(found) > 0, err
			}
			return false, fmt.Errorf("unknown condition %q", c)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"port": scriptPort, "up": scriptUp, "until": scriptUntil, "flip": scriptFlip, "pack": scriptPack, "half": scriptHalf,
			"request": scriptRequest, "append": scriptAppend, "status": scriptStatus, "term": scriptTerm, "post": scriptPost,
			"collection": scriptCollection,
		},
	})
}

// cacaoExamples are the six files of a public collection, which may lie beside the project.
const cacaoExamples = "../shared/data/cacao/examples/*-playbook.json"

// scriptCollection imports each of them into a folder that is served, and wants the same canonical JSON from the export: collection FOLDER.
func scriptCollection(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(cacaoExamples)
	ts.Check(err)
	if len(names) != 6 {
		ts.Fatalf("there are %d files, and six are wanted: %v", len(names), names)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		ts.Check(err)
		want, err := cacao.Canonical(source)
		ts.Check(err)
		name, err = filepath.Abs(name)
		ts.Check(err)
		ts.Check(ts.Exec("tocsin", "plan", "import", name, "--data", args[0], "--why", "a collection"))
		said := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
		id, says, _ := strings.Cut(said[len(said)-1], ": ")
		if says != "in use from now on" {
			ts.Fatalf("%s: %q", name, said)
		}
		ts.Check(ts.Exec("tocsin", "plan", "export", id, "--data", args[0]))
		if got := strings.TrimSuffix(ts.ReadFile("stdout"), "\n"); got != string(want) {
			ts.Fatalf("%s comes back as\n%s\nwant\n%s", name, got, want)
		}
	}
}

// within is how long a script waits for something to happen.
const within = 40 * time.Second

// scriptPort sets a variable to a free port: port NAME.
func scriptPort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "localhost:0")
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// scriptUp waits until the console on a port answers: up PORT.
func scriptUp(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://localhost:" + args[0] + "/")
		if err == nil {
			ts.Check(resp.Body.Close())
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("nothing answers on port %s: %v", args[0], err)
		}
	}
}

// scriptUntil runs the program until its output has what a pattern wants: until PATTERN ARGUMENT...
func scriptUntil(ts *testscript.TestScript, _ bool, args []string) {
	re := regexp.MustCompile("(?m)" + args[0])
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec("tocsin", args[1:]...)
		if re.MatchString(ts.ReadFile("stdout") + ts.ReadFile("stderr")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("tocsin %q never printed %s: %v", args[1:], args[0], err)
		}
	}
}

// orderly is how long the program may take to end. net/http waits five seconds for a connection that was opened and not used.
const orderly = 20 * time.Second

// scriptTerm tells the program that runs in the background to end, as systemd does, and waits until it has: term.
func scriptTerm(ts *testscript.TestScript, _ bool, _ []string) {
	all := ts.BackgroundCmds()
	p := all[len(all)-1].Process
	ts.Check(p.Signal(syscall.SIGTERM))
	for end := time.Now().Add(orderly); p.Signal(syscall.Signal(0)) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("it runs on %v after it was told to end", orderly)
		}
	}
}

// scriptFlip changes the byte of a file that follows the first place of a text: flip FILE TEXT.
func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	i := bytes.Index(b, []byte(args[1]))
	if i < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	b[i+len(args[1])] ^= 1
	ts.Check(os.WriteFile(name, b, 0o600))
}

// scriptPack packs a file: pack gzip|zstd FROM TO.
func scriptPack(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	var out bytes.Buffer
	if args[0] == "gzip" {
		w := gzip.NewWriter(&out)
		_, err = w.Write(b)
		ts.Check(err)
		ts.Check(w.Close())
	} else {
		w, err := zstd.NewWriter(&out)
		ts.Check(err)
		_, err = w.Write(b)
		ts.Check(err)
		ts.Check(w.Close())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o600))
}

// scriptHalf cuts a file in the middle: half FILE.
func scriptHalf(ts *testscript.TestScript, _ bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), st.Size()/2))
}

// scriptRequest appends a line of now to an access log: request FILE ADDRESS PATH.
func scriptRequest(ts *testscript.TestScript, _ bool, args []string) {
	line := fmt.Sprintf(`%s - - [%s] "GET %s HTTP/1.1" 200 512 "-" "Mozilla/5.0"`, args[1], time.Now().Format("02/Jan/2006:15:04:05 -0700"), args[2])
	scriptAppend(ts, false, []string{args[0], line + "\n"})
}

// scriptPost sends a file to an address and wants a status, with a bearer's token if one is given; one that begins with --edge is a form: post STATUS URL FILE [TOKEN].
func scriptPost(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(http.MethodPost, args[1], bytes.NewReader([]byte(ts.ReadFile(args[2]))))
	ts.Check(err)
	req.Header.Set("Content-Type", "text/plain")
	if strings.HasPrefix(ts.ReadFile(args[2]), "--edge") { // a form
		req.Header.Set("Content-Type", "multipart/form-data; boundary=edge")
	}
	if len(args) > 3 {
		req.Header.Set("Authorization", "Bearer "+args[3])
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("%s answers %s, want %s: %s", args[1], got, args[0], answer)
	}
}

// scriptAppend appends text to a file, which it makes: append FILE TEXT.
func scriptAppend(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	ts.Check(err)
	_, err = f.WriteString(args[1])
	ts.Check(err)
	ts.Check(f.Close())
}

// scriptStatus runs the program and wants an exit status: status N ARGUMENT... What it prints can be matched as after exec.
func scriptStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("tocsin", args[1:]...); err != nil {
		x, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("tocsin %q: %v", args[1:], err)
		}
		got = x.ExitCode()
	}
	if got != want {
		ts.Fatalf("tocsin %q ended with %d, want %d", args[1:], got, want)
	}
}
