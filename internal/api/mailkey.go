package api

import (
	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// maxUpload is how long a request with a key may be: 128 KiB in base64, and what is around it.
const maxUpload = 200 << 10

type (
	renewBody struct {
		Reason string `json:"reason" maxLength:"10000" doc:"for the ledger"`
	}
	revokeBody struct {
		Reason      string `json:"reason" maxLength:"10000" doc:"for the ledger"`
		Compromised bool   `json:"compromised,omitempty" doc:"somebody else may have it"`
	}
	uploadBody struct {
		Owner  string `json:"owner" maxLength:"64" doc:"staff id of whose key it is: oneself, or others by the right team"`
		Upload []byte `json:"upload" doc:"the file in base64"`
	}
	// A Revocation is a certificate that revokes our key for mail.
	Revocation struct {
		Revocation string `json:"revocation"`
	}
)

// mailKeyOperations are those of our own key for mail, and of keys of people as files.
func mailKeyOperations(t *table) {
	o := get("/mail/key", "getMailKey", "Show our own key for mail")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) (client.MailKey, error) { return mailKey(a.desk.OurKey(a.now)) })
	const person = "A token cannot: it needs a person."
	o = post("/mail/key/renew", "renewMailKey", "Make the next key for mail")
	o.need, o.proof, o.about = auth.Team, true, person
	add(t, o, func(a ask, in *body[renewBody]) (client.MailKey, error) {
		k, err := a.desk.RenewMailKey(a.actor, in.Body.Reason)
		if err != nil {
			return client.MailKey{}, err
		}
		return mailKey(k)
	})
	o = post("/mail/key/revoke", "revokeMailKey", "Revoke our key for mail, and make a new one")
	o.need, o.proof, o.about = auth.Team, true, person
	add(t, o, func(a ask, in *body[revokeBody]) (client.MailKey, error) {
		k, err := a.desk.RevokeMailKey(a.actor, in.Body.Reason, in.Body.Compromised)
		if err != nil {
			return client.MailKey{}, err
		}
		return mailKey(k)
	})
	o = post("/mail/key/revocation", "getRevocation", "Show the certificate that revokes our key for mail")
	o.need, o.shown, o.reads, o.proof, o.about = auth.Team, true, true, true, person
	add(t, o, func(a ask, _ *none) (Revocation, error) {
		text, err := a.desk.Revocation(a.actor)
		return Revocation{text}, err
	})
	o = post("/mail/keys", "putKeyFile", "Give the file of a key that mail to somebody is encrypted to")
	o.need, o.most = auth.Ask, maxUpload
	add(t, o, func(a ask, in *body[uploadBody]) (Said, error) {
		if err := a.member(in.Body.Owner); err != nil {
			return Said{}, err
		}
		says, err := a.desk.PutKey(a.actor, in.Body.Owner, in.Body.Upload)
		return Said{says}, err
	})
}

func mailKey(k desk.OurKey) (client.MailKey, error) {
	if k.Fingerprint == "" {
		return client.MailKey{}, desk.ErrNoMailKey
	}
	out := client.MailKey{Address: k.Address, Fingerprint: k.Fingerprint, Expires: k.Expires, Warning: k.Warning, Armoured: k.Armoured}
	for _, p := range k.Past {
		out.Past = append(out.Past, client.PastMailKey{Fingerprint: p.Fingerprint, Ended: p.Ended, Revoked: p.Revoked})
	}
	return out, nil
}
