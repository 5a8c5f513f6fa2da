package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

// senders makes a sender for each channel that is set up. A webhook's address is each person's own.
func (p Program) senders(c config.Config, o *desk.Options) error {
	hook, err := notify.NewWebhook(notify.WebhookOptions{})
	if err != nil {
		return err
	}
	o.Senders = map[string]desk.Sender{plan.Webhook: hook.Send}
	for channel, make := range map[string]func(config.Config) (desk.Sender, error){
		plan.Mattermost: func(config.Config) (desk.Sender, error) {
			return sender(notify.NewMattermost(notify.MattermostOptions{}))
		},
		plan.Teams:    func(config.Config) (desk.Sender, error) { return sender(notify.NewTeams(notify.TeamsOptions{})) },
		plan.Discord:  func(config.Config) (desk.Sender, error) { return sender(notify.NewDiscord(notify.DiscordOptions{})) },
		plan.Telegram: p.telegram, plan.Pushover: p.pushover, plan.Ntfy: p.ntfy, plan.Signed: p.signed, plan.SMS: p.sms,
	} {
		send, err := make(c)
		if err != nil {
			return fmt.Errorf("%s: %w", channel, err)
		}
		if send != nil {
			o.Senders[channel] = send
		}
	}
	for i, x := range c.Chats {
		send, err := p.chat(c, x)
		if err != nil {
			return fmt.Errorf("chats[%d]: %w", i+1, err)
		}
		o.Senders[plan.Chat+x.Name] = send
	}
	if c.Voice.Calls() {
		line, err := p.line(c.Voice)
		if err != nil {
			return fmt.Errorf("voice: %w", err)
		}
		o.Phone = line.Call
		if c.Voice.Trunk != "" {
			o.Register = line.Register
		}
	}
	if c.Mail.Host == "" {
		return nil
	}
	m, err := p.mail(c.Mail)
	if err != nil {
		return err
	}
	o.Senders[plan.Mail], o.Deliver, o.From = m.Send, m.Deliver, c.Mail.From
	box, err := p.reports(c.Mail.Bounces)
	if err != nil {
		return err
	}
	if box != nil {
		o.Reports = box.Hear
	}
	if o.Authorities, err = authorities(c.Mail); err != nil {
		return err
	}
	if c.Mail.SMIMEFile == "" {
		return nil
	}
	text, err := os.ReadFile(c.Mail.SMIMEFile)
	if err == nil {
		o.Signer, err = envelope.LoadSigner(text, c.Mail.From, time.Now())
	}
	if err != nil {
		return fmt.Errorf("mail.smime_file: %w", err)
	}
	return nil
}

func sender(post *notify.Post, err error) (desk.Sender, error) {
	if err != nil {
		return nil, err
	}
	return post.Send, nil
}

// named reads a secret that a setting names; "" is none.
func (p Program) named(key, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	secret, err := p.secret(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return secret, nil
}

func (p Program) telegram(c config.Config) (desk.Sender, error) {
	token, err := p.named("token_file", c.Telegram.TokenFile)
	if err != nil || token == "" {
		return nil, err
	}
	return sender(notify.NewTelegram(notify.TelegramOptions{Token: token, API: c.Telegram.API}))
}

func (p Program) pushover(c config.Config) (desk.Sender, error) {
	token, err := p.named("token_file", c.Pushover.TokenFile)
	if err != nil || token == "" {
		return nil, err
	}
	x, err := notify.NewPushover(notify.PushoverOptions{Token: token})
	if err != nil {
		return nil, err
	}
	return x.Send, nil
}

// ntfy sends to the server of the settings, or to that of a person's own whole address, which gets no token.
func (p Program) ntfy(c config.Config) (desk.Sender, error) {
	token, err := p.named("token_file", c.Ntfy.TokenFile)
	if err != nil {
		return nil, err
	}
	ours, err := notify.NewNtfy(notify.NtfyOptions{URL: c.Ntfy.URL, Token: token, CAFile: c.Ntfy.CAFile})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, m notify.Message) error {
		server, topic, own := plan.NtfyTopic(m.To)
		if !own {
			return ours.Send(ctx, m)
		}
		m.To = topic
		if server == strings.TrimRight(c.Ntfy.URL, "/") {
			return ours.Send(ctx, m)
		}
		one, err := notify.NewNtfy(notify.NtfyOptions{URL: server, CAFile: c.Ntfy.CAFile})
		if err != nil {
			return err
		}
		defer one.Close()
		return one.Send(ctx, m)
	}, nil
}

func (p Program) signed(c config.Config) (desk.Sender, error) {
	key, err := p.named("key_file", c.Signed.KeyFile)
	if err != nil || key == "" {
		return nil, err
	}
	o := notify.SignedOptions{URL: "https://localhost", KeyID: "main", Key: []byte(key), CAFile: c.Signed.CAFile}
	if c.Signed.KeyID != "" {
		o.KeyID = c.Signed.KeyID
	}
	if _, err := notify.NewSigned(o); err != nil { // what is wrong with the key is said at the start
		return nil, err
	}
	return func(ctx context.Context, m notify.Message) error {
		o := o
		o.URL = m.To
		one, err := notify.NewSigned(o)
		if err != nil {
			return err
		}
		defer one.Close()
		return one.Send(ctx, m)
	}, nil
}

func (p Program) sms(c config.Config) (desk.Sender, error) {
	s := c.SMS
	if s.URL == "" {
		return nil, nil
	}
	head := map[string]string{}
	for k, v := range s.Headers {
		head[k] = v
	}
	auth, err := p.named("authorization_file", s.AuthFile)
	if err != nil {
		return nil, err
	}
	if auth != "" {
		head["Authorization"] = auth
	}
	plus := s.Plus
	if plus == "+" {
		plus = ""
	}
	g, err := notify.NewSMS(notify.SMSOptions{URL: s.URL, Method: s.Method, Header: head, ContentType: s.ContentType, Body: s.Body, Plus: plus, Path: s.Path, Value: s.Values,
		IDPath: s.IDPath, MaxParts: s.Parts, CAFile: s.CAFile})
	if err != nil {
		return nil, err
	}
	return g.Send, nil
}

// chat makes the sender of a room.
func (p Program) chat(c config.Config, x config.Chat) (desk.Sender, error) {
	address, err := p.named("address_file", x.AddressFile)
	if err != nil {
		return nil, err
	}
	switch x.Kind {
	case "mattermost":
		return sender(notify.NewMattermost(notify.MattermostOptions{URL: address, CAFile: x.CAFile}))
	case "teams":
		return sender(notify.NewTeams(notify.TeamsOptions{URL: address}))
	case "discord":
		return sender(notify.NewDiscord(notify.DiscordOptions{URL: address}))
	case "telegram", "ntfy":
		send, err := p.telegram(c)
		if x.Kind == "ntfy" {
			send, err = p.ntfy(c)
		}
		if row, _ := plan.ChannelOf(x.Kind); err == nil {
			err = row.Check(address)
		}
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, m notify.Message) error {
			m.To = address
			return send(ctx, m)
		}, nil
	}
	hook, err := notify.NewWebhook(notify.WebhookOptions{Name: "slack", URL: address})
	if err != nil {
		return nil, err
	}
	return hook.Send, nil
}

// line makes what calls by telephone.
func (p Program) line(v config.Voice) (*voice.Line, error) {
	o := voice.Options{CAFile: v.CAFile, Ring: time.Duration(v.Ring), Speech: v.Speech}
	var err error
	if o.PortLow, o.PortHigh, err = config.PortRange(v.Ports); err != nil {
		return nil, err
	}
	if v.Advertise != "" {
		if o.Advertise, err = netip.ParseAddr(v.Advertise); err != nil {
			return nil, fmt.Errorf("advertise: %w", err)
		}
	}
	if v.Trunk != "" {
		password, err := p.named("password_file", v.PasswordFile)
		if err != nil {
			return nil, err
		}
		o.Trunk = &voice.Trunk{Server: v.Trunk, Domain: v.Domain, User: v.User, Password: password, Caller: v.Caller}
	}
	return voice.New(o)
}

func (p Program) mail(c config.Mail) (*notify.Mail, error) {
	o := notify.MailOptions{Host: c.Host, Port: c.Port, TLS: c.StartTLS, CAFile: c.CAFile, Username: c.Username, From: c.From, Hello: c.Hello, DSN: c.DSN}
	var err error
	if o.Password, err = p.named("mail.password_file", c.PasswordFile); err != nil {
		return nil, err
	}
	for i, k := range c.DKIM {
		text, err := os.ReadFile(k.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("mail.dkim[%d].key_file: %w", i+1, err)
		}
		key, err := notify.ReadDKIMKey(k.Domain, k.Selector, text)
		if err != nil {
			return nil, fmt.Errorf("mail.dkim[%d]: %w", i+1, err)
		}
		o.DKIM = append(o.DKIM, key)
	}
	if b := c.Bounces; b.Domain != "" {
		secret, err := p.named("mail.bounces.secret_file", b.SecretFile)
		if err != nil {
			return nil, err
		}
		o.Bounces = &notify.Bounces{Local: b.Local, Domain: b.Domain, Secret: []byte(secret)}
	}
	m, err := notify.NewMail(o)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

// reports reads the mailbox to which reports of non-delivery come; nil when it is not set up.
func (p Program) reports(b config.Bounces) (*notify.Mailbox, error) {
	if b.IMAP == (config.IMAP{}) {
		return nil, nil
	}
	secret, err := p.named("mail.bounces.secret_file", b.SecretFile)
	if err != nil {
		return nil, err
	}
	password, err := p.named("mail.bounces.imap.password_file", b.IMAP.PasswordFile)
	if err != nil {
		return nil, err
	}
	at := b.IMAP
	return notify.NewMailbox(notify.MailboxOptions{Host: at.Host, Port: at.Port, StartTLS: at.StartTLS, CAFile: at.CAFile, Username: at.Username, Password: password, Folder: at.Folder,
		Bounces: &notify.Bounces{Local: b.Local, Domain: b.Domain, Secret: []byte(secret)}})
}

// authorities reads who may issue certificates of people; nil is nobody.
func authorities(c config.Mail) (*x509.CertPool, error) {
	if c.SMIMEAuthorities == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.SMIMEAuthorities)
	if err != nil {
		return nil, fmt.Errorf("mail.smime_authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mail.smime_authorities: %s holds no certificate in PEM form", c.SMIMEAuthorities)
	}
	return pool, nil
}

// examineChannels makes every sender that is set up, and tries the trunk as a call would, unless offline.
func (p Program) examineChannels(ctx context.Context, c config.Config, team []desk.Reach, offline bool) (found []finding) {
	add := func(what string, err error, good, mend string) {
		f := finding{What: what, OK: err == nil, Says: good}
		if err != nil {
			f.Says, f.Mend = err.Error(), mend
		}
		found = append(found, f)
	}
	for _, x := range []struct {
		name string
		make func(config.Config) (desk.Sender, error)
		set  bool
	}{{plan.SMS, p.sms, c.SMS.URL != ""}, {plan.Telegram, p.telegram, c.Telegram.TokenFile != ""}, {plan.Pushover, p.pushover, c.Pushover.TokenFile != ""},
		{plan.Ntfy, p.ntfy, c.Ntfy != config.Ntfy{}}, {plan.Signed, p.signed, c.Signed.KeyFile != ""}} {
		if x.set {
			_, err := x.make(c)
			add(x.name, err, "the settings hold", "see "+x.name+" in tocsin.yaml")
		}
	}
	for _, x := range c.Chats {
		_, err := p.chat(c, x)
		add("chat", err, "the settings of "+plan.Chat+x.Name+" hold", "see chats in tocsin.yaml")
	}
	if !c.Voice.Calls() {
		return found
	}
	line, err := p.line(c.Voice)
	if err != nil {
		add("voice", err, "", "see voice in tocsin.yaml")
		return found
	}
	if c.Voice.Trunk != "" && !offline {
		says, err := line.Check(ctx, "+49", true)
		add("voice", err, says, "see voice in tocsin.yaml, and doc/calls.md")
	}
	for _, x := range team {
		if !strings.HasPrefix(x.Voice, "sips:") {
			if x.Voice != "" && c.Voice.Trunk == "" {
				add("voice", errors.New(x.ID+" has a number, and there is no trunk"), "", "give voice.trunk, or the person a sips: address")
			}
			continue
		}
		if offline {
			continue
		}
		says, err := line.Check(ctx, x.Voice, false)
		add("voice", err, x.ID+": "+says, "see the SIP address of "+x.ID+" on the page People")
	}
	return found
}
