package counterpart

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// Authority makes an authority and a certificate for 127.0.0.1 that it signed, good for an hour, as files in a folder: ca.pem, srv.pem, srv.key,
// and all.pem with the certificate and its key.
func Authority(t *testing.T) (dir string) { return AuthorityFor(t, time.Hour) }

// AuthorityFor is Authority with a certificate that lasts so long from now on; less than none is one that has expired.
func AuthorityFor(t *testing.T, lasts time.Duration) (dir string) {
	t.Helper()
	dir = t.TempDir()
	make := func(name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, []byte, []byte) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
		if parent == nil {
			c.IsCA, parent, signer = true, c, key
		} else {
			c.IPAddresses, c.NotAfter = []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now().Add(lasts)
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		pkcs, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return c, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})
	}
	ca, caKey, caText, _ := make("test authority", nil, nil)
	_, _, cert, key := make("127.0.0.1", ca, caKey)
	for name, text := range map[string][]byte{"ca.pem": caText, "srv.pem": cert, "srv.key": key, "all.pem": bytes.Join([][]byte{cert, key}, nil)} {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}
