// golang.org/x/crypto/ssh as a client; its arguments are those of test/ssh/clients/program.ts.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 254
	}
	os.Exit(status)
}

func run(args []string) (int, error) {
	address, user, key, known, mode, args := net.JoinHostPort(args[0], args[1]), args[2], args[3], args[4], args[5], args[6:]
	check, err := knownhosts.New(known)
	if err != nil {
		return 0, err
	}
	config := &ssh.ClientConfig{
		User:            user,
		HostKeyCallback: check,
		// The library prefers others, of which known_hosts has none.
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}
	if key != "-" {
		pem, err := os.ReadFile(key)
		if err != nil {
			return 0, err
		}
		signer, err := ssh.ParsePrivateKey(pem)
		if err != nil {
			return 0, err
		}
		config.Auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	}
	client, err := ssh.Dial("tcp", address, config)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	switch mode {
	case "exec", "shell":
		return session(client, mode, args)
	case "local":
		listener, err := net.Listen("tcp", loopback(args[0]))
		if err != nil {
			return 0, err
		}
		return 0, forward(listener, func() (net.Conn, error) { return client.Dial("tcp", loopback(args[1])) })
	case "remote":
		listener, err := client.Listen("tcp", loopback(args[0]))
		if err != nil {
			return 0, err
		}
		return 0, forward(listener, func() (net.Conn, error) { return net.Dial("tcp", loopback(args[1])) })
	case "sftp":
		return 0, files(client, args)
	}
	return 0, errors.New("unknown mode")
}

func loopback(port string) string { return net.JoinHostPort("127.0.0.1", port) }

func session(client *ssh.Client, mode string, args []string) (int, error) {
	session, err := client.NewSession()
	if err != nil {
		return 0, err
	}
	// Not `session.Stdin`: the end of the session would wait for the end of the input.
	input, err := session.StdinPipe()
	if err != nil {
		return 0, err
	}
	session.Stdout, session.Stderr = os.Stdout, os.Stderr
	if mode == "exec" {
		err = session.Start(args[0])
	} else {
		rows, _ := strconv.Atoi(args[0])
		cols, _ := strconv.Atoi(args[1])
		if err := session.RequestPty("xterm", rows, cols, ssh.TerminalModes{}); err != nil {
			return 0, err
		}
		err = session.Shell()
	}
	if err != nil {
		return 0, err
	}
	go func() {
		io.Copy(input, os.Stdin)
		input.Close()
	}()
	err = session.Wait()
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return exit.ExitStatus(), nil
	}
	return 0, err
}

type halfCloser interface{ CloseWrite() error }

func forward(listener net.Listener, dial func() (net.Conn, error)) error {
	for {
		from, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer from.Close()
			to, err := dial()
			if err != nil {
				return
			}
			defer to.Close()
			done := make(chan struct{})
			go func() {
				io.Copy(from, to)
				from.(halfCloser).CloseWrite()
				close(done)
			}()
			io.Copy(to, from)
			to.(halfCloser).CloseWrite()
			<-done
		}()
	}
}

func files(client *ssh.Client, args []string) error {
	remote, err := sftp.NewClient(client)
	if err != nil {
		return err
	}
	defer remote.Close()
	source, err := os.Open(args[0])
	if err != nil {
		return err
	}
	put, err := remote.Create(args[1])
	if err != nil {
		return err
	}
	if _, err := io.Copy(put, source); err != nil {
		return err
	}
	if err := put.Close(); err != nil {
		return err
	}
	get, err := remote.Open(args[2])
	if err != nil {
		return err
	}
	target, err := os.Create(args[3])
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, get); err != nil {
		return err
	}
	if err := target.Close(); err != nil {
		return err
	}
	names, err := remote.ReadDir(args[4])
	if err != nil {
		return err
	}
	for _, name := range names {
		fmt.Println(name.Name())
	}
	return nil
}
