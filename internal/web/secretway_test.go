package web

import (
	"net/http"
	"strings"
	"testing"
)

// Given somebody with an address that is secret, when their page is shown, then it is not on it; a change of something else leaves it, and a tick drops it.
func TestSecretAddressesAreShownToNobody(t *testing.T) {
	c := quiet(t)
	anna := c.as(t, "anna")
	const secret = "https://hooks.example/T0/very-secret"
	address := func() string {
		p, _ := c.desk.Person("boris")
		return c.desk.People.Get(p.Vault).Address("webhook")
	}
	if got := anna.post("/people", "id", "boris", "name", "Boris", "webhook", secret, "roles", "analyst"); got.code != http.StatusSeeOther || address() != secret {
		t.Fatalf("%d: %s", got.code, middle(got.body))
	}
	page := anna.get("/people/boris").body
	if strings.Contains(page, "very-secret") || !strings.Contains(page, `name="drop" value="webhook"`) {
		t.Error("the page shows the address, or does not say that there is one")
	}
	if got := anna.post("/people/boris", "read", hiddenField(t, page, "read"), "name", "Boris Lang", "webhook", "", "zone", "nowhere", "roles", "analyst"); got.code != http.StatusUnprocessableEntity || strings.Contains(got.body, "very-secret") || !strings.Contains(got.body, `name="drop" value="webhook"`) {
		t.Errorf("a mistake: %d", got.code)
	}
	if got := anna.post("/people/boris", "read", hiddenField(t, page, "read"), "name", "Boris Lang", "webhook", "", "roles", "analyst"); got.code != http.StatusSeeOther || address() != secret {
		t.Errorf("a change of the name: %d, the address is %q", got.code, address())
	}
	page = anna.get("/people/boris").body
	if got := anna.post("/people/boris", "read", hiddenField(t, page, "read"), "name", "Boris Lang", "drop", "webhook", "roles", "analyst"); got.code != http.StatusSeeOther || address() != "" {
		t.Errorf("dropped: %d, the address is %q", got.code, address())
	}
}
