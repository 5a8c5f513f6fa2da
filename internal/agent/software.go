package agent

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"tocsin/internal/record"
)

// A server is a program whose version is asked for by running it. Its path is fixed: nothing in PATH or in a web root is run.
type server struct {
	kind, name string
	paths      []string
	args       []string
	version    *regexp.Regexp
}

func servedBy() []server {
	return []server{
		{"web", "nginx", []string{"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx"}, []string{"-v"}, regexp.MustCompile(`nginx/([0-9][\w.]*)`)},
		{"web", "apache", []string{"/usr/sbin/apache2", "/usr/sbin/httpd"}, []string{"-v"}, regexp.MustCompile(`Apache/([0-9][\w.]*)`)},
		{"database", "mariadb", []string{"/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/sbin/mysqld", "/usr/libexec/mysqld"}, []string{"--version"}, regexp.MustCompile(`Ver ([0-9][\w.]*-?)`)},
		{"database", "postgresql", nil, []string{"--version"}, regexp.MustCompile(`\(PostgreSQL\) ([0-9][\w.]*)`)},
		{"database", "redis", []string{"/usr/bin/redis-server", "/usr/bin/valkey-server"}, []string{"--version"}, regexp.MustCompile(`v=([0-9][\w.]*)`)},
		{"database", "mongodb", []string{"/usr/bin/mongod"}, []string{"--version"}, regexp.MustCompile(`db version v([0-9][\w.]*)`)},
		{"search", "elasticsearch", []string{"/usr/share/elasticsearch/bin/elasticsearch"}, nil, nil},
		{"search", "opensearch", []string{"/usr/share/opensearch/bin/opensearch"}, nil, nil},
	}
}

// servers finds web servers, PHP and databases that are installed.
func servers(ctx context.Context) (all []record.Software) {
	for _, s := range servedBy() {
		paths := s.paths
		if s.name == "postgresql" {
			paths, _ = filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
			more, _ := filepath.Glob("/usr/pgsql-*/bin/postgres")
			paths = append(paths, more...)
		}
		for _, p := range paths {
			all = append(all, askVersion(ctx, s, p)...)
		}
	}
	fpm, _ := filepath.Glob("/usr/sbin/php-fpm*")
	for _, p := range fpm {
		all = append(all, askVersion(ctx, server{"php", "php-fpm", nil, []string{"-v"}, regexp.MustCompile(`PHP ([0-9][\w.]*)`)}, p)...)
	}
	return all
}

func askVersion(ctx context.Context, s server, path string) []record.Software {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return nil
	}
	x := record.Software{Kind: s.kind, Name: s.name, Path: path}
	if s.version == nil {
		return []record.Software{x}
	}
	out, _ := child(ctx, []string{path}, s.args...) // what it prints counts, not how it ends
	if m := s.version.FindStringSubmatch(out); m != nil {
		x.Version = strings.TrimSuffix(clip(m[1], 40), "-")
	}
	if s.name == "mariadb" && !strings.Contains(out, "MariaDB") {
		x.Name = "mysql"
	}
	return []record.Software{x}
}

// A platform is a shop that is known by a file below its folder. Its version is read there, and nothing of it is run.
type platform struct {
	name    string
	file    string
	version func(text string) (version string, ok bool)
}

func matching(pattern string) func(string) (string, bool) {
	re := regexp.MustCompile(pattern)
	return func(text string) (string, bool) {
		m := re.FindStringSubmatch(text)
		if m == nil {
			return "", false
		}
		for _, v := range m[1:] {
			if v != "" {
				return clip(v, 40), true
			}
		}
		return "", true
	}
}

func platforms() []platform {
	return []platform{
		{"wordpress", "wp-includes/version.php", matching(`\$wp_version\s*=\s*'([^']*)'`)},
		{"woocommerce", "wp-content/plugins/woocommerce/woocommerce.php", matching(`(?m)^\s*\*\s*Version:\s*(\S+)`)},
		{"magento", "composer.lock", composer("magento/product-community-edition", "magento/product-enterprise-edition", "mage-os/product-community-edition")},
		{"magento", "app/Mage.php", matching(`'major'\s*=>\s*'(\d+)'`)},
		{"prestashop", "src/Core/Version.php", matching(`VERSION\s*=\s*'([^']*)'`)},
		{"prestashop", "config/settings.inc.php", matching(`_PS_VERSION_'\s*,\s*'([^']*)'`)},
		{"shopware", "composer.lock", composer("shopware/core", "shopware/platform", "shopware/shopware")},
		{"shopware", "engine/Shopware/Kernel.php", matching(`'version'\s*=>\s*'([^']*)'`)},
		{"opencart", "index.php", matching(`define\('VERSION',\s*'([^']*)'\)`)},
	}
}

// composer reads the version of one of some packages from a composer.lock.
func composer(names ...string) func(string) (string, bool) {
	return func(text string) (string, bool) {
		var lock struct {
			Packages []struct{ Name, Version string } `json:"packages"`
		}
		if json.Unmarshal([]byte(text), &lock) != nil {
			return "", false
		}
		for _, p := range lock.Packages {
			for _, n := range names {
				if p.Name == n {
					return clip(strings.TrimPrefix(p.Version, "v"), 40), true
				}
			}
		}
		return "", false
	}
}

const maxShops = 200

// usualRoots are where web servers keep sites. Below each, sites lie up to three folders deep.
func usualRoots() []string {
	return []string{"/var/www", "/srv/www", "/srv/http", "/usr/share/nginx", "/opt/bitnami", "/home"}
}

// shops looks for shops below some folders.
func shops(roots []string) (all []record.Software) {
	if len(roots) == 0 {
		roots = usualRoots()
	}
	looked, known := 0, platforms()
	var walk func(dir string, deep int)
	walk = func(dir string, deep int) {
		if looked++; looked > 5000 || len(all) >= maxShops {
			return
		}
		all = append(all, shopsIn(known, dir)...)
		if deep == 0 {
			return
		}
		below, _ := os.ReadDir(dir)
		for _, e := range below[:min(len(below), 500)] {
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "node_modules" && e.Name() != "vendor" {
				walk(filepath.Join(dir, e.Name()), deep-1)
			}
		}
	}
	for _, r := range roots {
		walk(r, 3)
	}
	return all
}

func shopsIn(known []platform, dir string) (all []record.Software) {
	for _, p := range known {
		name := filepath.Join(dir, p.file)
		text := readLock(name)
		if text == "" {
			continue
		}
		if v, ok := p.version(text); ok {
			all = append(all, record.Software{Kind: "shop", Name: p.name, Version: v, Path: dir})
		}
	}
	return all
}

// readLock reads a file that may be as long as a composer.lock is.
func readLock(name string) string {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() || st.Size() > 16<<20 {
		return ""
	}
	if st.Size() <= 1<<20 {
		return readSome(name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}
