package cluster

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"yagura/store/desk"
)

// identity is the operating system user that the server runs as.
type identity struct {
	name     string
	uid, gid int
	drop     bool // we are root and must become this user
}

// whoServes is ourselves, or, for root, the owner of existing data, else postgres, else nobody.
func whoServes(data string) (identity, error) {
	if os.Getuid() != 0 {
		return identity{name: "uid " + strconv.Itoa(os.Getuid()), uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	if info, err := os.Stat(data); err == nil {
		if owner, ok := ownerOf(info); ok && owner.uid != 0 {
			owner.drop = true
			return owner, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID == nil && errGID == nil {
			return identity{name: name, uid: uid, gid: gid, drop: true}, nil
		}
	}
	return identity{}, desk.Errorf(desk.Unavailable, "cluster.Start",
		"PostgreSQL は root では動きません。利用者 postgres か nobody が要ります。sudo apt-get install postgresql を実行してください。")
}

func ownerOf(info fs.FileInfo) (identity, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{name: "uid " + strconv.Itoa(int(st.Uid)), uid: int(st.Uid), gid: int(st.Gid)}, true
}

// credential is what a child process must become; nil when it stays who we are.
func (i identity) credential() *syscall.Credential {
	if !i.drop {
		return nil
	}
	return &syscall.Credential{Uid: uint32(i.uid), Gid: uint32(i.gid)}
}

// give hands a file we made to the server's user.
func (i identity) give(path string) error {
	if !i.drop {
		return nil
	}
	return os.Chown(path, i.uid, i.gid)
}

// cannotEnter is the first directory on the way to dir that this user may not pass, "" when the way is free.
func (i identity) cannotEnter(dir string) string {
	if !i.drop {
		return ""
	}
	var way []string
	for at := dir; ; at = filepath.Dir(at) {
		way = append(way, at)
		if at == filepath.Dir(at) {
			break
		}
	}
	for n := len(way) - 1; n >= 0; n-- {
		info, err := os.Stat(way[n])
		if err != nil || !i.mayPass(info) {
			return way[n]
		}
	}
	return ""
}

func (i identity) mayPass(info fs.FileInfo) bool {
	owner, ok := ownerOf(info)
	switch {
	case !ok:
		return false
	case owner.uid == i.uid:
		return info.Mode()&0o100 != 0
	case owner.gid == i.gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
