package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// pages is a telephone's browser: it gets the page behind a link, finds the form and posts it, as a person would.
type pages struct {
	client *http.Client
	base   *url.URL // nil = links as they are
}

const maxPage = 256 * 1024

func newPages(base string, connections int) *pages {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, IdleConnTimeout: 30 * time.Second}
	p := &pages{client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		p.base = u
	}
	return p
}

// answer does what a person does. Errors never hold the link: a token is a person's key.
func (p *pages) answer(ctx context.Context, a plan) error {
	link, err := url.Parse(a.link)
	if err != nil {
		return errors.New("the link cannot be read")
	}
	if p.base != nil {
		link.Scheme, link.Host = p.base.Scheme, p.base.Host
	}
	status, page, err := p.do(ctx, http.MethodGet, link.String(), nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET: status %d", status)
	}
	form, err := findForm(page)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"safety": string(a.safety), "attendance": string(a.attendance)} {
		if !form.choices[name][value] {
			return fmt.Errorf("the page does not offer %s=%s", name, value)
		}
		form.fields.Set(name, value)
	}
	form.fields.Set("comment", a.comment)
	target, err := link.Parse(form.action)
	if err != nil || target.Host != link.Host {
		return errors.New("the form leads elsewhere")
	}
	status, page, err = p.do(ctx, http.MethodPost, target.String(), strings.NewReader(form.fields.Encode()))
	if err != nil {
		return err
	}
	if status != http.StatusOK || !strings.Contains(page, "記録しました") {
		return fmt.Errorf("POST: status %d, not recorded", status)
	}
	return nil
}

func (p *pages) do(ctx context.Context, method, link string, body io.Reader) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, link, body)
	if err != nil {
		return 0, "", errors.New("the link cannot be opened")
	}
	request.Header.Set("Accept-Language", "ja")
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := p.client.Do(request)
	if err != nil {
		var named *url.Error // its text would show the link
		if errors.As(err, &named) {
			err = named.Err
		}
		return 0, "", fmt.Errorf("%s: %w", method, err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return 0, "", fmt.Errorf("%s: %w", method, err)
	}
	return response.StatusCode, string(page), nil
}

type form struct {
	action  string
	fields  url.Values                 // hidden fields
	choices map[string]map[string]bool // radio buttons: name → values
}

// findForm reads the first form with method POST.
func findForm(page string) (form, error) {
	f := form{fields: url.Values{}, choices: map[string]map[string]bool{}}
	tokens := html.NewTokenizer(strings.NewReader(page))
	inside := false
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return f, errors.New("the page has no form")
		}
		token := tokens.Token()
		attribute := func(name string) string {
			for _, a := range token.Attr {
				if a.Key == name {
					return a.Val
				}
			}
			return ""
		}
		switch {
		case kind == html.EndTagToken && token.Data == "form" && inside:
			return f, nil
		case kind != html.StartTagToken && kind != html.SelfClosingTagToken:
		case token.Data == "form" && strings.EqualFold(attribute("method"), "post"):
			inside, f.action = true, attribute("action")
		case token.Data != "input" || !inside:
		case attribute("type") == "hidden":
			f.fields.Add(attribute("name"), attribute("value"))
		case attribute("type") == "radio":
			if f.choices[attribute("name")] == nil {
				f.choices[attribute("name")] = map[string]bool{}
			}
			f.choices[attribute("name")][attribute("value")] = true
		}
	}
}
