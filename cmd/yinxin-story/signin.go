package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// signIn signs the citizen in at the first application, with a password on the province's page.
func (s *story) signIn(ctx context.Context) (string, error) {
	who, err := s.at(ctx, s.one, &s.demo.Accounts[0])
	if err != nil {
		return "", err
	}
	if !slices.Contains(s.citizen.pages, "/signin") {
		return "", wrong("the first application's visitor is not asked to sign in")
	}
	if who.Subject == "" || who.Session == "" || who.AuthTime == 0 || who.ACR == "" || who.ACR == "0" || !slices.Contains(who.AMR, "pwd") {
		return "", wrong("the ID token says too little: sub, sid, auth_time, acr and amr with pwd are wanted")
	}
	s.atOne = *who
	return fmt.Sprintf("acr %s, amr %s", who.ACR, strings.Join(who.AMR, " ")), nil
}

// signInAgain signs the same browser in at the second application, which must learn of the same session and of nobody
// whom the first knows by the same name.
func (s *story) signInAgain(ctx context.Context) (string, error) {
	who, err := s.at(ctx, s.two, nil)
	if err != nil {
		return "", err
	}
	switch {
	case who.Session != s.atOne.Session:
		return "", wrong("the two applications see different sessions")
	case who.AuthTime != s.atOne.AuthTime || who.ACR != s.atOne.ACR || !slices.Equal(who.AMR, s.atOne.AMR):
		return "", wrong("the two applications hear different stories of one sign-in")
	case who.Subject == s.atOne.Subject:
		return "", wrong("the two applications could join what they know: the sub is the same")
	}
	return "同一会话 one sid, 不同标识 pairwise sub", nil
}
