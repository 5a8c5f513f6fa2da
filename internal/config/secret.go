package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSecret is the most bytes that a secret may have.
const maxSecret = 64 << 10

// Secret reads a secret from a file. A name without a slash is a systemd credential first (systemd.exec(5),
// LoadCredential=), then a file in the working folder. One line end at the end is not part of the secret.
// warn tells people that others can read the file; "" when all is well.
func Secret(name string) (secret, warn string, err error) {
	path, credential := name, false
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && !strings.Contains(name, "/") {
		if at := filepath.Join(dir, name); name != ".." && isFile(at) {
			path, credential = at, true
		}
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !strings.Contains(name, "/") {
		return "", "", fmt.Errorf("there is neither a systemd credential nor a file %q: add LoadCredential=%s:/path/of/the/file to the unit, or name the file by its whole path", name, name)
	}
	if err != nil {
		return "", "", fmt.Errorf("reading a secret: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", "", fmt.Errorf("reading a secret: %w", err)
	}
	if !st.Mode().IsRegular() {
		return "", "", fmt.Errorf("reading a secret: %s is not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", "", fmt.Errorf("reading a secret: %w", err)
	}
	secret = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case len(data) > maxSecret:
		return "", "", fmt.Errorf("the file %s is too long for a secret", path)
	case secret == "":
		return "", "", fmt.Errorf("the file %s is empty, and should hold a secret", path)
	case strings.ContainsAny(secret, "\n\x00"):
		return "", "", fmt.Errorf("the file %s has more than one line, and should hold one secret", path)
	}
	if mode := st.Mode().Perm(); !credential && mode&0o077 != 0 {
		warn = fmt.Sprintf("others can read the secret in %s (mode %04o); mend it with: chmod 600 %s", path, mode, path)
	}
	return secret, warn, nil
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}
