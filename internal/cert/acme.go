package cert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// Directory is the ACME server that is asked when none is named.
const Directory = certmagic.LetsEncryptProductionCA

// obtainWithin is how long all certificates that are missing at a start may take.
const obtainWithin = 3 * time.Minute

// Options say for which names certificates are got, from whom, and where challenges are answered.
type Options struct {
	Names     []string // of the console, without wildcards; each gets a certificate
	Mail      string   // whom the ACME server tells of trouble; "" is nobody
	Directory string   // of the ACME server (RFC 8555 7.1.1); "" is Let's Encrypt
	CAFile    string   // PEM file of the authority of the ACME server itself; "" trusts what the machine trusts
	Dir       string   // where account, keys and certificates are kept; made with mode 0700
	Log       *slog.Logger

	quick quick // for tests
}

// quick are times that a test cannot wait for. Zero values are those of the library.
type quick struct {
	look  time.Duration // how often the certificates are looked at
	ratio float64       // the last part of the life in which they are renewed
	noARI bool          // renewal information of the server (RFC 9773) is not asked for
}

// An ACME has the certificates of the console.
type ACME struct {
	o       Options
	cache   *certmagic.Cache
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	closing sync.Once

	mu      sync.Mutex
	failing map[string]failure
}

// A failure is the last one of a name; the file failing.json has one for each name that cannot be renewed.
type failure struct {
	At   time.Time `json:"at"`
	Says string    `json:"says"`
}

const failingFile = "failing.json"

// NewACME prepares. https is where the console listens, http where the port for http-01 and redirects does, nil when there is none: then tls-alpn-01 is the only
// challenge. It connects to nobody. The caller calls Close.
func NewACME(o Options, https, http net.Addr) (*ACME, error) {
	if o.Directory == "" {
		o.Directory = Directory
	}
	a := &ACME{o: o, failing: readFailing(o.Dir)}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for certificates: %w", err)
	}
	roots, err := rootsOf(o.CAFile)
	if err != nil {
		return nil, err
	}
	log := zapTo(o.Log)
	a.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: log, RenewCheckInterval: o.quick.look,
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil }})
	a.config = certmagic.New(a.cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: o.Dir}, Logger: log, OnEvent: a.note,
		RenewalWindowRatio: o.quick.ratio, DisableARI: o.quick.noARI, OCSP: certmagic.OCSPConfig{DisableStapling: true}})
	host, port := hostPort(https)
	template := certmagic.ACMEIssuer{CA: o.Directory, Email: o.Mail, Agreed: true, TrustedRoots: roots, ListenHost: host, AltTLSALPNPort: port,
		DisableHTTPChallenge: http == nil, CertObtainTimeout: obtainWithin, Logger: log}
	if http != nil {
		_, template.AltHTTPPort = hostPort(http)
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, template)
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// Close stops looking after the certificates. It may be called again.
func (a *ACME) Close() { a.closing.Do(a.cache.Stop) }

func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading tls.acme.ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls.acme.ca_file: %s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// hostPort takes an address apart; "" is every address of the machine.
func hostPort(addr net.Addr) (host string, port int) {
	host, p, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", 0
	}
	port, _ = strconv.Atoi(p) // of a listener, so it is a number
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = ""
	}
	return host, port
}

// Challenge answers http-01 and hands everything else to h.
func (a *ACME) Challenge(h http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(h) }

// TLS returns the settings of the listener, with HTTP/2. Who asks for a name that is not the console's is refused in the handshake.
func (a *ACME) TLS() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1", acmez.ACMETLS1Protocol}}
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
		if !slices.ContainsFunc(a.o.Names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return nil, errors.New("the console has no certificate for this name")
		}
		return a.config.GetCertificate(hello)
	}
	return c
}

// Obtain loads the certificates of all names, and gets those that are missing or do not hold now. Meanwhile challenges by tls-alpn-01 are answered at l, which stays
// open. What is good is enough: no server is asked for it. The error is for people.
func (a *ACME) Obtain(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithTimeout(ctx, obtainWithin)
	defer cancel()
	stop := a.answer(l)
	defer stop()
	for _, name := range a.o.Names {
		if err := a.obtain(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (a *ACME) obtain(ctx context.Context, name string) error {
	now := time.Now()
	had, err := a.config.CacheManagedCertificate(ctx, name)
	var get func() error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		get = func() error { return a.config.ObtainCertSync(ctx, name) }
	case err != nil:
		return fmt.Errorf("the certificate of %s in %s cannot be read: %w; bring the folder back from its backup, or remove it so that a new one is got", name, a.o.Dir, err)
	case !now.Before(had.Leaf.NotBefore) && now.Before(had.Leaf.NotAfter):
		return nil
	case now.Before(had.Leaf.NotBefore): // a new one would begin as late, so the clock is wrong
		v := State{Name: name, NotBefore: had.Leaf.NotBefore, NotAfter: had.Leaf.NotAfter, Managed: true}.Judge(now)
		return fmt.Errorf("%s: %s", v.Says, v.Mend)
	default:
		get = func() error { return a.config.RenewCertSync(ctx, name, true) }
	}
	a.o.Log.Info("a certificate is got for the console", "name", name, "from", a.o.Directory)
	if err := get(); err != nil {
		return a.refused(name, err)
	}
	if _, err := a.config.CacheManagedCertificate(ctx, name); err != nil {
		return fmt.Errorf("reading the new certificate of %s: %w", name, err)
	}
	return nil
}

// refused words why a console has no certificate and does not start.
func (a *ACME) refused(name string, err error) error {
	why, mend := reason(err), "The name must lead to this machine, and the ACME server must reach port 443 of it, or port 80 with tls.http_listen"
	if problem, ok := errors.AsType[acme.Problem](err); ok {
		switch strings.TrimPrefix(problem.Type, acme.ProblemTypeNamespace) {
		case "rateLimited":
			mend = "The ACME server asks to wait: start again later (its words say when), and do not restart in a loop"
		case "rejectedIdentifier", "caa":
			mend = "The ACME server does not give certificates for this name: see tls.acme.names, and CAA records of the domain"
		}
	} else if _, ok := errors.AsType[net.Error](err); ok {
		mend = "See whether this machine reaches the ACME server, and tls.acme.directory"
	}
	return fmt.Errorf("the console does not start, because there is no certificate for %s and none could be got from %s: %s. %s. "+
		"Nothing is shown under a certificate of our own making; to start meanwhile, listen on localhost, or give tls.cert and tls.key", name, a.o.Directory, why, mend)
}

// reason is what an ACME server said, or what kept us from asking.
func reason(err error) string {
	if problem, ok := errors.AsType[acme.Problem](err); ok {
		says := strings.TrimPrefix(problem.Type, acme.ProblemTypeNamespace) + ": " + problem.Detail
		for _, sub := range problem.Subproblems {
			says += "; " + sub.Detail
		}
		return plain(says)
	}
	return plain(err.Error())
}

// note keeps what becomes of each try. The library calls it.
func (a *ACME) note(_ context.Context, what string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch what {
	case "cert_failed":
		err, _ := data["error"].(error)
		if err == nil {
			err = errors.New("the reason is in the log")
		}
		if errors.Is(err, context.Canceled) {
			return nil // the end of the program broke it off
		}
		a.failing[name] = failure{At: time.Now().UTC().Truncate(time.Second), Says: reason(err)}
	case "cert_obtained":
		delete(a.failing, name)
	default:
		return nil
	}
	if err := writeFailing(a.o.Dir, a.failing); err != nil {
		a.o.Log.Warn("what became of a certificate's renewal cannot be kept for tocsin doctor", "error", err)
	}
	return nil
}

// States says how good the certificates are that are shown now.
func (a *ACME) States() (out []State) {
	a.mu.Lock()
	failing := make(map[string]failure, len(a.failing))
	for name, f := range a.failing {
		failing[name] = f
	}
	a.mu.Unlock()
	for _, name := range a.o.Names {
		s := State{Name: name, Managed: true, Fault: failing[name].Says, FaultAt: failing[name].At}
		for _, c := range a.cache.AllMatchingCertificates(name) {
			if c.Leaf != nil && c.Leaf.NotAfter.After(s.NotAfter) {
				s.NotBefore, s.NotAfter = c.Leaf.NotBefore, c.Leaf.NotAfter
			}
		}
		out = append(out, s)
	}
	return out
}

// Stored says the same of a folder, without a running server.
func Stored(o Options) (out []State) {
	if o.Directory == "" {
		o.Directory = Directory
	}
	issuer := (&certmagic.ACMEIssuer{CA: o.Directory}).IssuerKey()
	failing := readFailing(o.Dir)
	for _, name := range o.Names {
		s := State{Name: name, Managed: true, Fault: failing[name].Says, FaultAt: failing[name].At}
		if b, err := os.ReadFile(filepath.Join(o.Dir, filepath.FromSlash(certmagic.StorageKeys.SiteCert(issuer, name)))); err == nil {
			if leaf, err := leafOf(b); err == nil {
				s.NotBefore, s.NotAfter = leaf.NotBefore, leaf.NotAfter
			} else {
				s.Fault, s.FaultAt = plain("the file cannot be read: "+err.Error()), time.Now()
			}
		}
		out = append(out, s)
	}
	return out
}

// leafOf is the first certificate of a chain in PEM.
func leafOf(chain []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(chain)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("it holds no certificate in PEM form")
	}
	return x509.ParseCertificate(block.Bytes)
}

func readFailing(dir string) map[string]failure {
	out := map[string]failure{}
	if b, err := os.ReadFile(filepath.Join(dir, failingFile)); err == nil && len(b) < 1<<20 {
		if json.Unmarshal(b, &out) != nil || out == nil {
			out = map[string]failure{} // it is only what was said last
		}
	}
	for name, f := range out {
		f.Says = plain(f.Says)
		out[name] = f
	}
	return out
}

func writeFailing(dir string, failing map[string]failure) error {
	name := filepath.Join(dir, failingFile)
	if len(failing) == 0 {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	b, err := json.Marshal(failing)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".tmp", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".tmp", name)
}
