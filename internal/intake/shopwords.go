package intake

import (
	"strings"

	"tocsin/internal/record"
)

// A wording is what a shop's software writes into its log, in lower case, and what it means in the words that rules use.
type wording struct {
	text                   string
	action, outcome, realm string
}

// shopWordings are the messages of the shops themselves and of the payment modules most of them use: Magento's AuthenticationException and its
// Braintree, PayPal and Authorize.Net modules, Shopware 6's token endpoint of the administration, WooCommerce's gateways and order notes,
// PrestaShop's log. Found in the message only, never in what a context says. Never changed.
var shopWordings = []wording{
	{"the user credentials were incorrect", "login", "failure", "admin"},
	{"the account sign-in was incorrect", "login", "failure", ""},
	{"you did not sign in correctly or your account is temporarily disabled", "login", "failure", "admin"},
	{"invalid login or password", "login", "failure", "customer"},
	{"back office connection from", "login", "success", "admin"},
	{"payment could not be taken", "payment", "failure", "customer"},
	{"card was declined", "payment", "failure", "customer"},
	{"card has been declined", "payment", "failure", "customer"},
	{"card_declined", "payment", "failure", "customer"},
	{"processor declined", "payment", "failure", "customer"},
	{"gateway rejected", "payment", "failure", "customer"},
	{"payment declined", "payment", "failure", "customer"},
	{"payment was declined", "payment", "failure", "customer"},
	{"payment failed", "payment", "failure", "customer"},
	{"payment has failed", "payment", "failure", "customer"},
	{"payment transaction failed", "payment", "failure", "customer"},
	{"transaction has been declined", "payment", "failure", "customer"},
	{"transaction was declined", "payment", "failure", "customer"},
	{"transaction declined", "payment", "failure", "customer"},
	{"insufficient funds", "payment", "failure", "customer"},
	{"do not honor", "payment", "failure", "customer"},
	{"from pending payment to failed", "payment", "failure", "customer"},
	{"from pending to failed", "payment", "failure", "customer"},
	{"from on hold to failed", "payment", "failure", "customer"},
	{"employee addition", "user-created", "success", "admin"},
	{"employee modification", "user-changed", "success", "admin"},
	{"employee deletion", "user-deleted", "success", "admin"},
	{"profile addition", "role-changed", "success", "admin"},
	{"profile modification", "role-changed", "success", "admin"},
}

// maxWording is how much of a message is searched.
const maxWording = 1024

// shopVerdict reads a message of a shop: by its wording, else by its words.
func shopVerdict(text string) verdict {
	head := lower(text[:min(len(text), maxWording)])
	for _, w := range shopWordings {
		if strings.Contains(head, w.text) {
			v := verdict{w.action, w.outcome, w.realm}
			if v.realm == "" {
				v.realm = "customer"
				if strings.Contains(head, "admin") || strings.Contains(head, "backend") {
					v.realm = "admin"
				}
			}
			return v
		}
	}
	// What stands in quotes, paths and names of classes are no words of the message.
	text = text[:min(len(text), maxCode)]
	if i := strings.IndexAny(text, "\"'\\/(<"); i >= 0 {
		text = text[:i]
	}
	return verdictOf(text)
}

// shopSource makes a record one of a shop's software.
func shopSource(r *record.Record, product, service string) {
	if r.Source.Categories == nil {
		r.Source.Categories = appCategory
	}
	r.Source.Product, r.Source.Service = product, service
}

// shopFile sets the file that an error of PHP names: "... in /srv/a.php on line 3", "... at /srv/a.php:3", "... in /srv/a.php:3".
func shopFile(r *record.Record, text string) {
	if r.Has(record.FilePath) {
		return
	}
	if i := strings.LastIndex(text, " on line "); i > 0 {
		if j := strings.LastIndex(text[:i], " in "); j >= 0 && strings.HasPrefix(text[j+4:], "/") {
			setFile(r, text[j+4:i])
		}
	}
}
