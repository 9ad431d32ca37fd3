/* libssh as a client; its arguments are those of test/ssh/clients/program.ts. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS 64
#define CHUNK 32768

/* A channel and what it is joined with. */
struct link {
  ssh_channel channel;
  int in, out, err;
  int in_open, out_open;
};

static ssh_session session;
static char buffer[CHUNK];

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, session ? ssh_get_error(session) : strerror(errno));
  _exit(254);
}

static void write_all(int fd, const char *data, int size) {
  while (size > 0) {
    ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    data += written;
    size -= written;
  }
}

static void connect_session(const char *host, const char *port, const char *user, const char *key,
                            const char *known) {
  int number = atoi(port), no = 0, yes = 1;
  session = ssh_new();
  ssh_options_set(session, SSH_OPTIONS_HOST, host);
  ssh_options_set(session, SSH_OPTIONS_PORT, &number);
  ssh_options_set(session, SSH_OPTIONS_USER, user);
  ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, known);
  ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no);
  /* Else each block of a file takes 40 ms. */
  ssh_options_set(session, SSH_OPTIONS_NODELAY, &yes);
  if (ssh_connect(session) != SSH_OK) fail("connect");
  if (ssh_session_is_known_server(session) != SSH_KNOWN_HOSTS_OK) fail("host key");
  if (strcmp(key, "-") == 0) {
    if (ssh_userauth_none(session, NULL) != SSH_AUTH_SUCCESS) fail("none");
  } else {
    ssh_key private;
    if (ssh_pki_import_privkey_file(key, NULL, NULL, NULL, &private) != SSH_OK) fail("key");
    if (ssh_userauth_publickey(session, NULL, private) != SSH_AUTH_SUCCESS) fail("publickey");
    ssh_key_free(private);
  }
}

static ssh_channel open_session(void) {
  ssh_channel channel = ssh_channel_new(session);
  if (ssh_channel_open_session(channel) != SSH_OK) fail("session");
  return channel;
}

/* From the channel to its descriptors. */
static void receive(struct link *link) {
  int size;
  while ((size = ssh_channel_read_nonblocking(link->channel, buffer, CHUNK, 1)) > 0)
    write_all(link->err, buffer, size);
  while ((size = ssh_channel_read_nonblocking(link->channel, buffer, CHUNK, 0)) > 0)
    write_all(link->out, buffer, size);
  if (link->out_open && ssh_channel_is_eof(link->channel)) {
    link->out_open = 0;
    if (link->in == link->out) shutdown(link->out, SHUT_WR);
  }
}

static void send_some(struct link *link) {
  ssize_t size = read(link->in, buffer, CHUNK);
  if (size > 0 && ssh_channel_write(link->channel, buffer, size) == size) return;
  link->in_open = 0;
  ssh_channel_send_eof(link->channel);
}

static int tcp(int port, int listening) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  int result = listening ? bind(fd, (void *)&address, sizeof address) || listen(fd, 16)
                         : connect(fd, (void *)&address, sizeof address);
  if (result) fail("socket");
  return fd;
}

/* A shell or a command on the standard streams. Returns its exit status. */
static int interact(ssh_channel channel) {
  struct link link = {channel, 0, 1, 2, 1, 1};
  while (!ssh_channel_is_eof(channel) && ssh_is_connected(session)) {
    struct pollfd fds[] = {{ssh_get_fd(session), POLLIN, 0}, {0, POLLIN, 0}};
    poll(fds, link.in_open ? 2 : 1, 20);
    receive(&link);
    if (link.in_open && fds[1].revents && ssh_channel_is_open(channel)) send_some(&link);
  }
  receive(&link);
  return ssh_channel_get_exit_status(channel);
}

static void forward(int is_local, int listen_port, int target) {
  struct link links[LINKS];
  int count = 0, listener = is_local ? tcp(listen_port, 1) : -1;
  if (!is_local && ssh_channel_listen_forward(session, "127.0.0.1", listen_port, NULL) != SSH_OK)
    fail("listen");
  while (ssh_is_connected(session)) {
    struct pollfd fds[LINKS + 2] = {{ssh_get_fd(session), POLLIN, 0}, {listener, POLLIN, 0}};
    for (int i = 0; i < count; i++)
      fds[i + 2] = (struct pollfd){links[i].in_open ? links[i].in : -1, POLLIN, 0};
    poll(fds, count + 2, 20);
    for (int i = count - 1; i >= 0; i--) {
      receive(&links[i]);
      if (links[i].in_open && fds[i + 2].revents) send_some(&links[i]);
      if (links[i].in_open || links[i].out_open) continue;
      ssh_channel_close(links[i].channel);
      ssh_channel_free(links[i].channel);
      close(links[i].in);
      links[i] = links[--count];
    }
    if (count == LINKS) continue;
    if (is_local && fds[1].revents) {
      int fd = accept(listener, NULL, NULL);
      ssh_channel channel = ssh_channel_new(session);
      if (ssh_channel_open_forward(channel, "127.0.0.1", target, "127.0.0.1", 0) == SSH_OK)
        links[count++] = (struct link){channel, fd, fd, fd, 1, 1};
      else
        close(fd);
    } else if (!is_local) {
      ssh_channel channel = ssh_channel_accept_forward(session, 0, NULL);
      if (channel) {
        int fd = tcp(target, 0);
        links[count++] = (struct link){channel, fd, fd, fd, 1, 1};
      }
    }
  }
}

static void copy_file(sftp_session sftp, const char *local, const char *remote, int upload) {
  int fd = upload ? open(local, O_RDONLY) : open(local, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  sftp_file file = sftp_open(sftp, remote, upload ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
  if (fd < 0 || !file) fail(remote);
  for (;;) {
    ssize_t size = upload ? read(fd, buffer, CHUNK) : sftp_read(file, buffer, CHUNK);
    if (size < 0) fail(remote);
    if (size == 0) break;
    if (!upload) write_all(fd, buffer, size);
    else if (sftp_write(file, buffer, size) != size) fail(remote);
  }
  if (sftp_close(file) != SSH_OK) fail(remote);
  close(fd);
}

static void run_sftp(char **args) {
  sftp_session sftp = sftp_new(session);
  if (!sftp || sftp_init(sftp) != SSH_OK) fail("sftp");
  copy_file(sftp, args[0], args[1], 1);
  copy_file(sftp, args[3], args[2], 0);
  sftp_dir folder = sftp_opendir(sftp, args[4]);
  if (!folder) fail(args[4]);
  sftp_attributes entry;
  while ((entry = sftp_readdir(sftp, folder))) {
    printf("%s\n", entry->name);
    sftp_attributes_free(entry);
  }
  if (!sftp_dir_eof(folder)) fail(args[4]);
  sftp_closedir(folder);
  sftp_free(sftp);
}

int main(int argc, char **argv) {
  if (argc < 8) return 254;
  const char *mode = argv[6];
  int status = 0;
  signal(SIGPIPE, SIG_IGN);
  connect_session(argv[1], argv[2], argv[3], argv[4], argv[5]);
  if (strcmp(mode, "exec") == 0) {
    ssh_channel channel = open_session();
    if (ssh_channel_request_exec(channel, argv[7]) != SSH_OK) fail("exec");
    status = interact(channel);
  } else if (strcmp(mode, "shell") == 0) {
    ssh_channel channel = open_session();
    if (ssh_channel_request_pty_size(channel, "xterm", atoi(argv[8]), atoi(argv[7])) != SSH_OK)
      fail("pty");
    if (ssh_channel_request_shell(channel) != SSH_OK) fail("shell");
    status = interact(channel);
  } else if (strcmp(mode, "sftp") == 0) {
    run_sftp(argv + 7);
  } else {
    forward(strcmp(mode, "local") == 0, atoi(argv[7]), atoi(argv[8]));
  }
  fflush(stdout);
  ssh_disconnect(session);
  return status;
}
