package answer

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestInABrowser answers as a person does: open, touch twice, press. A policy that blocked the style or the form would show.
func TestInABrowser(t *testing.T) { // F3-1-a.1 S8-2
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium がないため、ブラウザーでの確認を省きます")
	}
	h := open(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 740)); err != nil { // the first call starts the browser
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(h.link(2, 11)+"?lang=ja")); err != nil {
		t.Fatal(err)
	}
	size := see(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("button")).minHeight`))
	if err := chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS(`input[name=safety][value=injured]`)),
		chromedp.Click(chromedp.CSS(`input[name=attendance][value=later]`)),
		chromedp.Click(chromedp.CSS(`button`)),
		chromedp.WaitVisible(chromedp.CSS(`h1.done`)),
	); err != nil {
		t.Fatal(err)
	}
	done := see(t, ctx, chromedp.Text(chromedp.CSS(`body`)))
	kept := see(t, ctx, chromedp.Evaluate[string](`document.cookie + localStorage.length + sessionStorage.length + (document.documentElement.scrollWidth > 360)`))
	if size != "60px" {
		t.Errorf("the style is not applied: button %s", size)
	}
	if !strings.Contains(done, "けがをしました（軽傷）") || !strings.Contains(done, "これは訓練です") {
		t.Errorf("receipt: %s", done)
	}
	if kept != "00false" {
		t.Errorf("cookie, storage or sideways scrolling: %s", kept)
	}
	var safety, attendance string
	if h.db.Scan(`SELECT safety, attendance FROM standing WHERE dispatch_id = 2 AND person_id = 11`, &safety, &attendance); safety != "injured" || attendance != "later" {
		t.Error(safety, attendance)
	}
}

func see(t *testing.T, ctx context.Context, a chromedp.Action[string]) string {
	t.Helper()
	text, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
