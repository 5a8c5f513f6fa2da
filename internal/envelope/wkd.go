package envelope

import (
	"context"
	"crypto/sha1" // the Web Key Directory names files by it; nothing rests on it
	"crypto/x509"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// zbase32 is the alphabet of the Web Key Directory's file names.
var zbase32 = base32.NewEncoding("ybndrfg8ejkmcpqxot1uwisza345h769").WithPadding(base32.NoPadding)

// hostForm is a name of the public DNS: labels of letters, digits and hyphens, at least two, the last not a number.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// WKDHash returns the file name of an address in a Web Key Directory: z-base-32 of the SHA-1 of the lower-case local part
// (draft-koch-openpgp-webkey-service section 3.1). Only A to Z are lowered.
func WKDHash(local string) string {
	sum := sha1.Sum([]byte(lower(local)))
	return zbase32.EncodeToString(sum[:])
}

func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// parted cuts an address into its two parts, the domain in lower case.
func parted(address string) (local, domain string, fail *Refusal) {
	i := strings.LastIndexByte(address, '@')
	if i < 1 || i > 64 || bareAddress(address) != strings.ToLower(address) {
		return "", "", refuse(Unreadable, "%q is no mail address, so no key can be looked up.", oneLine(address, maxSubject))
	}
	local, domain = address[:i], lower(address[i+1:])
	if !hostForm.MatchString(domain) || len(domain) > 240 {
		return "", "", refuse(Unreadable, "%q is no domain of the public internet, so no key can be looked up there.", oneLine(domain, maxSubject))
	}
	return local, domain, nil
}

// WKDPaths returns the two places of an address's key, as URLs: the advanced one, and the direct one for domains without the sub-domain.
func WKDPaths(address string) (advanced, direct string, err error) {
	local, domain, fail := parted(address)
	if fail != nil {
		return "", "", fail
	}
	file := WKDHash(local) + "?l=" + url.QueryEscape(local)
	return "https://openpgpkey." + domain + "/.well-known/openpgpkey/" + domain + "/hu/" + file,
		"https://" + domain + "/.well-known/openpgpkey/hu/" + file, nil
}

// A Directory looks keys up in the Web Key Directories of other domains. Its zero value is right; the fields are for networks of one's
// own, and tests. What it finds is a candidate: see Judge.
type Directory struct {
	Allow   []netip.Prefix                                               // further addresses that may be asked, although they are not public
	Roots   *x509.CertPool                                               // authorities; nil is the machine's
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error) // nil is the machine's resolver
	Port    int                                                          // 0 is 443
}

// Lookup asks for the key of an address at its own domain, over https, for at most ten seconds, without following redirects, and only
// at public addresses: a directory cannot be made to ask servers of this network. The error is a *Refusal where there is no key that can be
// used (NoKey: none is published), and something else where asking failed.
func (d Directory) Lookup(ctx context.Context, address string, now time.Time) (*Key, error) {
	advanced, direct, err := WKDPaths(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	b, err := d.get(ctx, advanced)
	if missing, ok := errors.AsType[*net.DNSError](err); ok && missing.IsNotFound {
		b, err = d.get(ctx, direct) // only when there is no sub-domain (section 3.1 of the draft)
	}
	if err != nil {
		return nil, err
	}
	return parseFound(b, address, now)
}

// parseFound takes the one key of a directory's answer that is for the address and can be used. There may be revoked ones beside it.
func parseFound(b []byte, address string, now time.Time) (*Key, error) {
	b, fail := dearmour(b)
	if fail != nil {
		return nil, fail
	}
	keys, fail := split(b)
	if fail != nil {
		return nil, fail
	}
	if len(keys) > maxChain {
		return nil, refuse(Several, "The directory answered with %d keys.", len(keys))
	}
	var good []*Key
	var first error
	for _, packets := range keys {
		k, err := newKey(packets)
		if err == nil {
			err = k.Check(address, now)
		}
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		good = append(good, k)
	}
	switch len(good) {
	case 1:
		return good[0], nil
	case 0:
		return nil, first
	}
	return nil, refuse(Several, "The directory has %d keys for %s that can be used. Ask its owner which one is right, and upload that.", len(good), address)
}

// get fetches one file.
func (d Directory) get(ctx context.Context, from string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("looking up a key: %w", err)
	}
	req.Header.Set("User-Agent", "Tocsin")
	t := &http.Transport{
		Proxy: nil, DialContext: d.dial, TLSClientConfig: tlsConfig(d.Roots), DisableKeepAlives: true, DisableCompression: true,
		MaxResponseHeaderBytes: 16 << 10, TLSHandshakeTimeout: lookupTimeout, ResponseHeaderTimeout: lookupTimeout,
	}
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(req) // no client: nothing follows redirects
	if err != nil {
		return nil, fmt.Errorf("looking up a key at %s: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return nil, refuse(NoKey, "%s publishes no key for this address.", req.URL.Host)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("looking up a key at %s: it answered %d; redirects are not followed", req.URL.Host, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxUpload+1))
	if err != nil {
		return nil, fmt.Errorf("looking up a key at %s: the answer broke off: %w", req.URL.Host, err)
	}
	return b, nil
}

// dial connects to the first public address of a host. The name is resolved here and the address that was checked is the one that is
// connected to: a second answer of its name server cannot lead elsewhere.
func (d Directory) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	if d.Port != 0 {
		port = strconv.Itoa(d.Port)
	}
	resolve := d.Resolve
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host+".") // rooted: no search domain is tried
		}
	}
	list, err := resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	last := fmt.Errorf("%s has no address", host)
	for _, a := range list[:min(len(list), 8)] {
		if a = a.Unmap(); !d.allowed(a) {
			last = fmt.Errorf("%s leads to %s, which is no public address; nothing was asked there", host, a)
			continue
		}
		c, err := new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return c, nil
		}
		last = err
	}
	return nil, last
}

// allowed reports whether an address may be asked.
func (d Directory) allowed(a netip.Addr) bool {
	inside := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(d.Allow, inside) {
		return true
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" || a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a) {
		return false
	}
	return !slices.ContainsFunc(special, inside)
}

// special are networks that look public and are not (the registries of RFC 6890), or that lead into others.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
}
