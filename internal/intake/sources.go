package intake

import "tocsin/internal/record"

// Sources lists the log sources that the parsers here give, each with every category that its records can have. A rule
// that none of them fits has nothing to read.
func Sources() []record.LogSource {
	web := []string{"webserver", "authentication"}
	app := []string{"application", "authentication", "payment", "file_event"}
	database := []string{"database", "authentication"}
	linux := []string{"authentication", "file_event"}
	out := []record.LogSource{{Categories: []string{record.Watched}}} // given by no parser, but by the watch lists, to any record
	for _, s := range []struct {
		categories []string
		product    string
		services   []string
	}{
		{web, "", []string{"access", ""}},
		{web, "nginx", []string{"access", "nginx"}},
		{web, "apache", []string{"access", "apache"}},
		{web, "cloudflare", []string{"access"}},
		{web, "traefik", []string{"access"}},
		{web, "caddy", []string{"access"}},
		{web, "haproxy", []string{"access", "tcp"}},
		{web, "iis", []string{"access"}},
		{web, "aws", []string{"alb", "cloudfront"}},
		{[]string{"authentication"}, "aws", []string{"cloudtrail"}},
		{app, "shop", []string{""}},
		{app, "wordpress", []string{"", "woocommerce"}},
		{app, "magento", []string{"admin-actions"}},
		{app, "prestashop", []string{""}},
		{app, "opencart", []string{""}},
		{database, "mysql", []string{"general", "error", "slow"}},
		{database, "postgresql", []string{""}},
		{database, "mongodb", []string{""}},
		{append(linux, "application"), "linux", []string{"guacamole"}},
		{linux, "linux", []string{"", "auditd", "auth", "cron", "firewall", "mail", "proftpd", "pure-ftpd", "sshd", "sudo", "syslog", "vsftpd", "xferlog"}},
	} {
		for _, service := range s.services {
			out = append(out, record.LogSource{Categories: s.categories, Product: s.product, Service: service})
		}
	}
	return out
}
