package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/identity/oauth"
	"github.com/yinxin-trust/yinxin/internal/blob"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/tile"
	"github.com/yinxin-trust/yinxin/ledger/witness"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/license/face"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/verify"
)

// logOrigin is the name of the demonstration's log.
const logOrigin = "yinxin.example/ledger/demo"

// database is the one database of the demonstration; the province and each cell are a schema of it.
const database = "yinxin"

type platformOptions struct {
	Dir, Base, Fonts string
	Logger           *slog.Logger
	Say              func(format string, a ...any)
}

// platform is the whole service in one process. Its parts are opened in the order of the fields and closed in reverse.
type platform struct {
	platformOptions
	dir      string
	keys     *soft.Provider
	cluster  *postgres.Cluster
	cells    *postgres.Cells
	witness  *supervised
	engine   *tile.Log
	pki      *authorities
	font     []byte
	bold     []byte
	registry *postgres.SealStore
	accounts *identity.Service
	grants   *postgres.OAuthStore
	provider *oauth.Provider
	clients  []oauth.Registration
	licenses *license.Service
	trust    []byte // the published trust list
	handler  http.Handler
	record   record

	sealBell, ledgerBell, directoryBell *bell
	loops                               sync.WaitGroup
	stop                                context.CancelFunc
}

// openPlatform opens every part; what was opened is closed again when a later one cannot be.
func openPlatform(ctx context.Context, o platformOptions) (_ *platform, err error) {
	p := &platform{platformOptions: o, dir: o.Dir, sealBell: newBell(), ledgerBell: newBell(), directoryBell: newBell(), stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.font, p.bold, err = readFonts(o.Fonts); err != nil {
		return nil, err
	}
	if p.keys, err = openKeys(ctx, filepath.Join(o.Dir, "keys")); err != nil {
		return nil, err
	}
	o.Say("keys: software key file (a demonstration's; an HSM keeps them in production)")
	if err := p.openDatabase(ctx); err != nil {
		return nil, err
	}
	if p.pki, err = openAuthorities(ctx, filepath.Join(o.Dir, "pki"), p.keys); err != nil {
		return nil, err
	}
	if err := p.openLedger(ctx); err != nil {
		return nil, err
	}
	if err := p.openIdentity(ctx); err != nil {
		return nil, err
	}
	if err := p.openLicenses(ctx); err != nil {
		return nil, err
	}
	return p, p.openWeb()
}

func (p *platform) openDatabase(ctx context.Context) (err error) {
	if p.cluster, err = postgres.StartCluster(ctx, postgres.ClusterOptions{Dir: filepath.Join(p.dir, "postgres")}); err != nil {
		return err
	}
	if err := p.cluster.EnsureDatabase(ctx, database); err != nil {
		return err
	}
	dsn := p.cluster.DSN(database)
	cells := make([]postgres.CellConfig, 0, sample.ProvinceCell)
	for _, f := range sample.AllPrefectures() {
		cells = append(cells, postgres.CellConfig{Code: uint16(f.Number), Name: f.Name})
	}
	cells = append(cells, postgres.CellConfig{Code: sample.ProvinceCell, Name: sample.ProvinceName + "本级"})
	p.cells, err = postgres.OpenCells(postgres.CellConfig{Name: sample.ProvinceName, URL: dsn}, cells, postgres.PoolOptions{
		ConnectTimeout: 10 * time.Second, StatementTimeout: 10 * time.Second, IdleTime: time.Minute,
	})
	if err != nil {
		return err
	}
	if _, err := p.cells.Migrate(ctx); err != nil {
		return err
	}
	p.registry = postgres.NewSealStore(p.cells)
	p.Say("database: the province and %d cells", len(cells))
	return nil
}

func (p *platform) openLedger(ctx context.Context) error {
	signer, err := p.keys.Key(ctx, keyLedger)
	if err != nil {
		return err
	}
	pub, err := ownSM2(signer)
	if err != nil {
		return err
	}
	logKey, err := ledger.NewKey(ledger.LogKey, logOrigin, pub)
	if err != nil {
		return err
	}
	// For whoever sets up a further witness of this log: `yinxin witness -log "$(cat ledger.key)"`.
	if err := writeFile(filepath.Join(p.dir, "ledger.key"), []byte(logKey.String()+"\n"), 0o644); err != nil {
		return err
	}
	if p.witness, err = superviseWitness(ctx, filepath.Join(p.dir, "witness"), logKey, p.Logger); err != nil {
		return err
	}
	client, err := witness.NewClient(p.witness.Key.Name, p.witness.URL, nil)
	if err != nil {
		return err
	}
	p.engine, err = tile.Open(ctx, tile.Options{
		Dir: filepath.Join(p.dir, "ledger"), Origin: logOrigin, Signer: signer,
		Trust:     ledger.Trust{WitnessKeys: []ledger.Key{p.witness.Key}, Quorum: 1},
		Cosigners: []ledger.Cosigner{client},
	})
	if err != nil {
		return err
	}
	list, err := trustList(ctx, p.keys, p.pki, logOrigin, p.witness.Key, p.Base)
	if err != nil {
		return err
	}
	key, err := p.keys.Key(ctx, keyTrustList)
	if err != nil {
		return err
	}
	if p.trust, err = openTrustList(ctx, filepath.Join(p.dir, "trust.json"), list, key); err != nil {
		return err
	}
	p.Say("ledger: tiles on disk, one witness with a key of its own at %s", p.witness.URL)
	return nil
}

func (p *platform) openIdentity(ctx context.Context) error {
	secrets := map[hsm.Ref]hsm.Secret{}
	for _, ref := range []hsm.Ref{secretProvince, secretBlind, secretPepper, secretPairwise, secretToken} {
		s, err := p.keys.Secret(ctx, ref)
		if err != nil {
			return err
		}
		secrets[ref] = s
	}
	var err error
	province := p.cells.Province()
	p.accounts, err = identity.New(identity.Options{
		Store: postgres.NewIdentityStore(province), Vault: profiles{secrets[secretProvince], secrets[secretBlind]},
		Pepper: secrets[secretPepper], Pairwise: secrets[secretPairwise], Rand: rand.Reader,
	})
	if err != nil {
		return err
	}
	es, err := p.keys.Key(ctx, keyTokenES256)
	if err != nil {
		return err
	}
	rs, err := p.keys.Key(ctx, keyTokenRS256)
	if err != nil {
		return err
	}
	cookie := web.SessionCookie(p.secure())
	p.grants = postgres.NewOAuthStore(province)
	p.provider, err = oauth.New(ctx, oauth.Options{
		Issuer: p.Base, Accounts: p.accounts, Store: p.grants, Keys: []hsm.Key{es, rs},
		Secret: secrets[secretToken], Rand: rand.Reader, Logger: p.Logger, SessionToken: web.SessionToken, ErrorPage: web.DrawFault,
		BrowserSession: func(r *http.Request) string {
			c, err := r.Cookie(cookie)
			if err != nil {
				return "" // no cookie, no session
			}
			return c.Value
		},
	})
	if err != nil {
		return err
	}
	if p.clients, err = withSecrets(p.dir, sampleClients()); err != nil {
		return err
	}
	return p.provider.Register(ctx, p.clients)
}

func (p *platform) secure() bool { return strings.HasPrefix(p.Base, "https://") }

func (p *platform) openLicenses(ctx context.Context) error {
	table := offices{}
	for _, o := range sample.Offices() {
		table[o.Code] = license.Office{USCC: o.Code, Name: o.Name, Cell: o.Cell, Kinds: o.Kinds()}
	}
	catalogue, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		return err
	}
	files, err := blob.Open(filepath.Join(p.dir, "files"), 0)
	if err != nil {
		return err
	}
	drawer, err := face.New(p.font, p.bold, "楷体")
	if err != nil {
		return err
	}
	static, err := p.keys.Key(ctx, keyStaticCode)
	if err != nil {
		return err
	}
	status, err := p.keys.Key(ctx, keyStatus)
	if err != nil {
		return err
	}
	sealKeys := seal.KeySourceFunc(func(ctx context.Context, ref string) (seal.DigestSigner, error) {
		return p.keys.Key(ctx, hsm.Ref(ref))
	})
	s := signers{static: static, status: status}
	store := postgres.NewLicenseStore(p.cells)
	for _, cell := range p.cells.Codes() {
		// The lock on the data folder says that nobody else seals here.
		if err := store.ReleaseClaims(ctx, cell, time.Now()); err != nil {
			return err
		}
	}
	p.licenses, err = license.NewService(license.Config{
		Catalogue: catalogue, Offices: table, Store: store, Vault: vault{p.keys}, Files: files,
		Sealer: sealing{offices: table, registry: p.registry, service: seal.NewService(p.registry, sealKeys, time.Now, rand.Reader)},
		Drawer: drawer, Static: s, Status: s, Encoder: encoder{}, Included: log{engine: p.engine},
		SelfCheck: p.selfCheck, Now: time.Now, Rand: rand.Reader, BaseURL: p.Base,
	})
	return err
}

// selfCheck judges a finished file as a stranger's verifier would, before it is stored.
func (p *platform) selfCheck(_ context.Context, file []byte) error {
	now := time.Now()
	trust, _, err := verify.OpenTrust(p.trust, nil, false, now)
	if err != nil {
		return err
	}
	// Without proof and status it cannot be more than undetermined, and its term may begin later.
	for _, c := range verify.Broken(verify.Judge{Trust: trust, At: now}.File(file, nil)) {
		return fault.New(fault.Internal, "self_check", string(c.Code)+" "+c.Where+" "+c.Detail)
	}
	return nil
}

func (p *platform) openWeb() (err error) {
	l := log{engine: p.engine, licenses: p.licenses}
	var table []web.Office
	for _, o := range sample.Offices() {
		table = append(table, web.Office{Code: o.Code, Name: o.Name})
	}
	var samples []web.Sample
	for _, a := range sample.Accounts() {
		samples = append(samples, web.Sample{Login: a.Login, Password: a.Password, Role: a.Words, RoleEN: a.WordsEN})
	}
	p.handler, err = web.New(web.Config{
		Licenses: ringing{p.licenses, p}, Proofs: l, Judge: judge{p}, Accounts: p.accounts, Provider: provider{p.provider},
		TrustList: func(context.Context) ([]byte, error) { return p.trust, nil },
		BaseURL:   p.Base, CookieSecure: p.secure(), WitnessURL: p.witness.URL, Offices: table, Samples: samples, Logger: p.Logger,
	})
	p.record = record{
		BaseURL: p.Base, Issuer: p.Base, Accounts: sampleRecordAccounts(), Clients: recordClients(p.clients),
		TrustList: filepath.Join(p.dir, "trust.json"), WitnessURL: p.witness.URL,
	}
	return err
}

// close ends the loops, then every part that was opened, last first.
func (p *platform) close() error {
	p.stop()
	p.loops.Wait()
	var errs []error
	if p.engine != nil {
		errs = append(errs, p.engine.Close())
	}
	if p.witness != nil {
		errs = append(errs, p.witness.stop())
	}
	if p.cells != nil {
		p.cells.Close()
	}
	if p.cluster != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*drainTimeout)
		defer cancel()
		errs = append(errs, p.cluster.Stop(ctx))
	}
	if p.keys != nil {
		errs = append(errs, p.keys.Close())
	}
	return errors.Join(errs...)
}

// readFonts finds the fonts that faces and seals are drawn with: one for values, a heavier one for titles.
func readFonts(dir string) (regular, bold []byte, err error) {
	if dir == "" {
		dir = "/usr/share/fonts/truetype/lxgw-wenkai"
	}
	missing := fault.New(fault.Unavailable, "font_missing", "no font with Chinese glyphs was found").
		WithHint("install the Debian package fonts-lxgw-wenkai, or name a folder with LXGWWenKai-Regular.ttf and -Bold.ttf with -fonts")
	read := func(name string) []byte {
		b, failed := os.ReadFile(filepath.Join(dir, "LXGWWenKai-"+name+".ttf"))
		if failed != nil && err == nil {
			missing.Err, err = failed, missing
		}
		return b
	}
	regular, bold = read("Regular"), read("Bold")
	return regular, bold, err
}
