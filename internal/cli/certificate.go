package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	certLookEvery = time.Minute         // at most so often the files are looked at
	certSoon      = 30 * 24 * time.Hour // before its end the doctor says so
)

// A certificate is the console's, read again when its files change: what renews it need not restart the program. A new
// one that cannot be used leaves the old one in force.
type certificate struct {
	log       *slog.Logger
	cert, key string

	mu     sync.Mutex
	now    *tls.Certificate
	stamp  string    // of the files that were read last, also in vain
	looked time.Time // when the files were looked at last
}

// openCertificate reads the files for the first time.
func openCertificate(log *slog.Logger, cert, key string, now time.Time) (*certificate, error) {
	c := &certificate{log: log, cert: cert, key: key, looked: now, stamp: stampOf(cert, key)}
	var err error
	c.now, err = readCertificate(cert, key)
	return c, err
}

func readCertificate(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s and its key %s: %w", cert, key, err)
	}
	return &pair, nil
}

// stampOf tells one state of the files from the next; a file that is not there has a state, too.
func stampOf(names ...string) (stamp string) {
	for _, name := range names {
		if i, err := os.Stat(name); err == nil {
			stamp += fmt.Sprintf("%d %d\n", i.ModTime().UnixNano(), i.Size())
		} else {
			stamp += err.Error() + "\n"
		}
	}
	return stamp
}

// at returns the certificate to show at a time.
func (c *certificate) at(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.looked) < certLookEvery {
		return c.now
	}
	c.looked = now
	stamp := stampOf(c.cert, c.key)
	if stamp == c.stamp {
		return c.now
	}
	c.stamp = stamp // what is wrong now is told once, and read again when the files change again
	fresh, err := readCertificate(c.cert, c.key)
	if err != nil {
		c.log.Error("the console's certificate changed and cannot be used: the one before stays in force", "because", err)
		return c.now
	}
	c.log.Info("the console's certificate was read again", "file", c.cert)
	c.now = fresh
	return c.now
}

// settings are those of the listener.
func (c *certificate) settings() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.at(time.Now()), nil }}
}

// examineCertificate says whether the files can be used, and for how long.
func examineCertificate(cert, key string, now time.Time) finding {
	f := finding{What: "tls", Mend: "renew it; a running server takes the new one by itself within a minute"}
	pair, err := readCertificate(cert, key)
	if err != nil {
		f.Says, f.Mend = err.Error(), "see tls in tocsin.yaml, and whether the account that runs Tocsin may read both files"
		return f
	}
	leaf := pair.Leaf
	if leaf == nil {
		if leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			f.Says = err.Error()
			return f
		}
	}
	day := leaf.NotAfter.UTC().Format("2 January 2006")
	switch left := leaf.NotAfter.Sub(now); {
	case left <= 0:
		f.Says = fmt.Sprintf("the certificate %s expired on %s: browsers refuse the console", cert, day)
	case now.Before(leaf.NotBefore):
		f.Says = fmt.Sprintf("the certificate %s begins only on %s", cert, leaf.NotBefore.UTC().Format("2 January 2006"))
	case left <= certSoon:
		f.OK, f.Warn, f.Says = true, true, fmt.Sprintf("the certificate %s expires on %s", cert, day)
	default:
		f.OK, f.Mend, f.Says = true, "", fmt.Sprintf("the certificate %s is good until %s", cert, day)
	}
	return f
}
