package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// NewAccount is what an account is made from.
type NewAccount struct {
	Login      string
	Password   string // empty: the account cannot sign in with one
	Roles      []Role
	Office     string
	OfficeName string
	Level      int // 实名等级, 2 to 5
	Name       string
	Phone      string
	Subjects   []Subject
	Claims     Claims
}

// maxBatch bounds one transaction of CreateAccounts.
const maxBatch = 500

// CreateAccount makes an account, or gives the one that has its login.
func (s *Service) CreateAccount(ctx context.Context, in NewAccount) (Account, error) {
	out, err := s.CreateAccounts(ctx, []NewAccount{in})
	if err != nil {
		return Account{}, err
	}
	return out[0], nil
}

// CreateAccounts makes accounts and gives them in order. It is idempotent by login: an account that exists is given as it
// is, and nothing of it is changed.
func (s *Service) CreateAccounts(ctx context.Context, in []NewAccount) ([]Account, error) {
	out := make([]Account, 0, len(in))
	for len(in) > 0 {
		n := min(len(in), maxBatch)
		made, err := s.createBatch(ctx, in[:n])
		if err != nil {
			return nil, err
		}
		out, in = append(out, made...), in[n:]
	}
	return out, nil
}

func (s *Service) createBatch(ctx context.Context, in []NewAccount) ([]Account, error) {
	indexes := make([][]byte, len(in))
	for i, a := range in {
		login, err := normaliseLogin(a.Login)
		if err != nil {
			return nil, err
		}
		if indexes[i], err = s.index(ctx, "login", login); err != nil {
			return nil, err
		}
	}
	have, err := s.opts.Store.Logins(ctx, indexes)
	if err != nil {
		return nil, err
	}
	var records []AccountRecord
	for i, a := range in {
		if _, ok := have[string(indexes[i])]; ok {
			continue
		}
		r, err := s.record(ctx, a, indexes[i])
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	if len(records) > 0 {
		if _, err := s.opts.Store.CreateAccounts(ctx, records); err != nil {
			return nil, err
		}
		if have, err = s.opts.Store.Logins(ctx, indexes); err != nil {
			return nil, err
		}
	}
	out := make([]Account, len(in))
	for i := range in {
		row, ok := have[string(indexes[i])]
		if !ok {
			return nil, fault.New(fault.Internal, "account_missing", "an account that was made cannot be found")
		}
		if out[i], err = s.Open(ctx, row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// record seals a new account.
func (s *Service) record(ctx context.Context, in NewAccount, index []byte) (AccountRecord, error) {
	if in.Level < MinLevel || in.Level > MaxLevel {
		return AccountRecord{}, fault.New(fault.Invalid, "account_level", fmt.Sprintf("a real-name level is %d to %d", MinLevel, MaxLevel))
	}
	roles := make([]string, len(in.Roles))
	for i, r := range in.Roles {
		if !r.valid() {
			return AccountRecord{}, fault.New(fault.Invalid, "account_role", fmt.Sprintf("there is no role %q", r))
		}
		roles[i] = string(r)
	}
	id, err := s.random(16)
	if err != nil {
		return AccountRecord{}, err
	}
	login, err := normaliseLogin(in.Login)
	if err != nil {
		return AccountRecord{}, err
	}
	plain, err := json.Marshal(profile{Version: 1, Login: login, Name: in.Name, Phone: in.Phone, Subjects: in.Subjects, Claims: in.Claims})
	if err != nil {
		return AccountRecord{}, fmt.Errorf("profile: %w", err)
	}
	sealed, err := s.opts.Vault.Seal(ctx, plain, profilePlace(id))
	if err != nil {
		return AccountRecord{}, unavailableKeys(err)
	}
	r := AccountRecord{
		Login: LoginRow{Index: index, Account: id},
		Account: AccountRow{
			ID: id, Roles: roles, Office: in.Office, OfficeName: in.OfficeName, Level: in.Level,
			Profile: sealed, CreatedAt: s.opts.Now(),
		},
	}
	for _, sub := range in.Subjects {
		x, err := s.index(ctx, "subject", sub.Type+"\x00"+sub.Code)
		if err != nil {
			return AccountRecord{}, err
		}
		r.Subjects = append(r.Subjects, SubjectRow{Index: x, Account: id, Relation: sub.Relation})
	}
	if in.Password != "" {
		f, err := s.newPassword(ctx, id, in.Password)
		if err != nil {
			return AccountRecord{}, err
		}
		r.Factors = append(r.Factors, f)
	}
	return r, nil
}

// profile is the sealed part of an account.
type profile struct {
	Version  int       `json:"v"`
	Login    string    `json:"login"`
	Name     string    `json:"name"`
	Phone    string    `json:"phone,omitempty"`
	Subjects []Subject `json:"subjects,omitempty"`
	Claims   Claims    `json:"claims"`
}

// profilePlace binds a sealed profile to its row.
func profilePlace(account string) []byte {
	return label("identity_account.profile/v1", []byte(account))
}

// Open opens an account as it is stored.
func (s *Service) Open(ctx context.Context, row AccountRow) (Account, error) {
	plain, err := s.opts.Vault.Open(ctx, row.Profile, profilePlace(row.ID))
	if err != nil {
		return Account{}, unavailableKeys(err)
	}
	var p profile
	if err := json.Unmarshal(plain, &p); err != nil {
		return Account{}, fault.Wrap(err, fault.Internal, "account_profile", "the profile of an account is damaged")
	}
	if p.Version != 1 {
		return Account{}, fault.New(fault.Internal, "account_profile", "the profile of an account is of an unknown version")
	}
	roles := make([]Role, len(row.Roles))
	for i, r := range row.Roles {
		roles[i] = Role(r)
	}
	return Account{
		ID: row.ID, Login: p.Login, Roles: roles, Office: row.Office, OfficeName: row.OfficeName, Level: row.Level,
		Name: p.Name, Phone: p.Phone, Subjects: p.Subjects, Claims: p.Claims,
	}, nil
}

// index is the blind index of a value: it finds a row and tells nothing.
func (s *Service) index(ctx context.Context, what, value string) ([]byte, error) {
	sum, err := s.opts.Vault.MAC(ctx, label("index/"+what+"/v1", []byte(value)))
	if err != nil {
		return nil, unavailableKeys(err)
	}
	return sum[:], nil
}

// MaxLogin bounds a login name, in bytes.
const MaxLogin = 128

// normaliseLogin gives the one form of a login: compatibility composed (full-width digits become ordinary ones), lower
// case, without spaces around it.
func normaliseLogin(login string) (string, error) {
	if len(login) > MaxLogin || !utf8.ValidString(login) {
		return "", errLogin()
	}
	login = strings.ToLower(strings.TrimSpace(norm.NFKC.String(login)))
	if login == "" || len(login) > 4*MaxLogin || strings.ContainsFunc(login, unicode.IsControl) {
		return "", errLogin()
	}
	return login, nil
}

func errLogin() error {
	return fault.New(fault.Invalid, "login_malformed", fmt.Sprintf("a login name has 1 to %d bytes and no control characters", MaxLogin))
}
