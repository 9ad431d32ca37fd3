/*
 * A UDP path with delay, loss and a narrow place, on loopback, for kernels without netem. One process, any number
 * of links; each link has two ports: what comes to one is sent on from the other to the end of the link that it
 * stands for. Told what to do by lines on standard input, each answered by one line on standard output:
 *
 *     link ID DELAY_US LOSS_PPM RATE QUEUE SEED   ->  link ID PORT_A PORT_B
 *         a link: one-way delay; lost packets per million; bytes per second of each direction and bytes that may wait
 *         for it (0 0: as fast as it goes). Whoever is end A sends to PORT_A to reach end B.
 *     end ID a|b ADDRESS PORT                     ->  end ID
 *         where an end is. Until both are known, and from any other port, packets are dropped.
 *     unlink ID                                   ->  unlink ID
 *         it is gone, with all that is on its way, and its number can be given anew.
 *     stats ID   ->  stats ID, and for a to b, then b to a: packets in, packets out, bytes out, lost, dropped at the
 *         full queue, largest packet
 *
 * Ends with its standard input. A direction holds at most SLOTS packets; more are dropped as at a full queue.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINKS 64
/* A power of two. 32,768 packets of 1,200 bytes are 100 MB/s for 390 ms. */
#define SLOTS 32768
/* WebRTC keeps to 1,200; anything larger than this is cut, and shows as such in the statistics. */
#define PACKET_BYTES 2048
#define BATCH 64
#define SOCKET_BUFFER_BYTES (4 * 1024 * 1024)

struct packet {
  int64_t due;
  uint32_t length;
  uint8_t bytes[PACKET_BYTES];
};

struct direction {
  /* Received on `in`, sent from `out`, which is the other direction's `in`, to `to`. */
  int in;
  int out;
  struct sockaddr_in from;
  struct sockaddr_in to;
  bool knows_from;
  bool knows_to;
  /* A ring: every packet of a direction has the same delay, so the first is always due first. */
  struct packet *slots;
  uint32_t head;
  uint32_t tail;
  /* When the narrow place has sent all that it holds. */
  int64_t free_at;
  uint64_t random;
  uint64_t packets_in, packets_out, bytes_out, lost, dropped, largest;
};

struct link {
  bool used;
  int64_t delay_ns;
  uint32_t loss_ppm;
  double rate;
  double queue;
  struct direction ways[2];
};

static struct link links[MAX_LINKS];
static int poll_fd;
static int timer_fd;

static void fail(const char *what) {
  fprintf(stderr, "udp-relay: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* xorshift64* (Vigna, 2014), the upper 32 bits. */
static uint32_t draw(struct direction *way) {
  way->random ^= way->random >> 12;
  way->random ^= way->random << 25;
  way->random ^= way->random >> 27;
  return (uint32_t)((way->random * UINT64_C(2685821657736338717)) >> 32);
}

static int open_port(uint16_t *port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  const int size = SOCKET_BUFFER_BYTES;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
  *port = ntohs(address.sin_port);
  return fd;
}

/* Sends all that is due. */
static void flush(struct direction *way, int64_t now) {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  while (way->head != way->tail) {
    unsigned count = 0;
    while (count < BATCH && way->head + count != way->tail) {
      struct packet *packet = &way->slots[(way->head + count) % SLOTS];
      if (packet->due > now) break;
      parts[count] = (struct iovec){.iov_base = packet->bytes, .iov_len = packet->length};
      messages[count].msg_hdr = (struct msghdr){.msg_name = &way->to,
                                                .msg_namelen = sizeof way->to,
                                                .msg_iov = &parts[count],
                                                .msg_iovlen = 1};
      count += 1;
    }
    if (count == 0) return;
    int sent = sendmmsg(way->out, messages, count, 0);
    /* Whatever the kernel does not take is lost, as on a path. */
    const unsigned done = sent < 0 ? 1 : (unsigned)sent;
    for (unsigned at = 0; at < done; at += 1) {
      if (sent < 0) {
        way->dropped += 1;
      } else {
        way->packets_out += 1;
        way->bytes_out += parts[at].iov_len;
      }
    }
    way->head += done;
  }
}

/* Keeps the packet of `length` bytes that lies in the slot at the tail, or drops it. */
static void take(const struct link *link, struct direction *way, uint32_t length, int64_t now) {
  way->packets_in += 1;
  if (length > way->largest) way->largest = length;
  if (draw(way) % 1000000 < link->loss_ppm) {
    way->lost += 1;
    return;
  }
  int64_t leaves = now;
  if (link->rate > 0) {
    if (way->free_at < now) way->free_at = now;
    const double waiting = (double)(way->free_at - now) * link->rate / 1e9;
    if (waiting + length > link->queue) {
      way->dropped += 1;
      return;
    }
    way->free_at += (int64_t)(length * 1e9 / link->rate);
    leaves = way->free_at;
  }
  way->slots[way->tail % SLOTS].due = leaves + link->delay_ns;
  way->slots[way->tail % SLOTS].length = length;
  way->tail += 1;
}

/* Reads straight into free slots of the ring, so that a packet is copied by the kernel only. */
static void receive(struct link *link, struct direction *way) {
  for (;;) {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in sources[BATCH];
    static uint8_t overflow[PACKET_BYTES];
    const uint32_t room = SLOTS - (way->tail - way->head);
    const unsigned want = room < BATCH ? (room == 0 ? 1 : room) : BATCH;
    for (unsigned at = 0; at < want; at += 1) {
      uint8_t *bytes = room == 0 ? overflow : way->slots[(way->tail + at) % SLOTS].bytes;
      parts[at] = (struct iovec){.iov_base = bytes, .iov_len = PACKET_BYTES};
      messages[at].msg_hdr = (struct msghdr){.msg_name = &sources[at],
                                             .msg_namelen = sizeof sources[at],
                                             .msg_iov = &parts[at],
                                             .msg_iovlen = 1};
    }
    const int count = recvmmsg(way->in, messages, want, 0, NULL);
    if (count <= 0) return;
    const int64_t now = now_ns();
    if (room == 0) {
      way->packets_in += 1;
      way->dropped += 1;
      continue;
    }
    const uint32_t base = way->tail;
    for (int at = 0; at < count; at += 1) {
      struct packet *packet = &way->slots[(base + (uint32_t)at) % SLOTS];
      const bool known = way->knows_from && way->knows_to &&
                         sources[at].sin_port == way->from.sin_port;
      if (!known) continue;
      /* A socket that is bound to no address is seen at another one than it told. */
      way->from.sin_addr = sources[at].sin_addr;
      struct packet *slot = &way->slots[way->tail % SLOTS];
      /* Something before it was dropped: close the hole. */
      if (slot != packet) memcpy(slot->bytes, packet->bytes, messages[at].msg_len);
      take(link, way, messages[at].msg_len, now);
    }
    /* The other way answers to where this end is seen. */
    struct direction *back = way == &link->ways[0] ? &link->ways[1] : &link->ways[0];
    back->to.sin_addr = way->from.sin_addr;
    flush(way, now);
    if (count < (int)want) return;
  }
}

static void set_timer(void) {
  int64_t first = INT64_MAX;
  for (unsigned at = 0; at < MAX_LINKS; at += 1) {
    if (!links[at].used) continue;
    for (unsigned side = 0; side < 2; side += 1) {
      const struct direction *way = &links[at].ways[side];
      if (way->head == way->tail) continue;
      const int64_t due = way->slots[way->head % SLOTS].due;
      if (due < first) first = due;
    }
  }
  struct itimerspec when = {0};
  if (first != INT64_MAX) {
    /* A time of 0 would turn it off. */
    if (first < 1) first = 1;
    when.it_value.tv_sec = first / 1000000000;
    when.it_value.tv_nsec = first % 1000000000;
  }
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void watch(int fd, uint64_t what) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

static bool add_link(const char *line) {
  unsigned id, loss;
  long long delay_us, rate, queue;
  unsigned long long seed;
  if (sscanf(line, "link %u %lld %u %lld %lld %llu", &id, &delay_us, &loss, &rate, &queue, &seed) != 6)
    return false;
  if (id >= MAX_LINKS || links[id].used) return false;
  struct link *link = &links[id];
  *link = (struct link){.used = true,
                        .delay_ns = delay_us * 1000,
                        .loss_ppm = loss,
                        .rate = (double)rate,
                        .queue = (double)queue};
  uint16_t ports[2];
  for (unsigned side = 0; side < 2; side += 1) {
    struct direction *way = &link->ways[side];
    way->in = open_port(&ports[side]);
    way->random = (seed * 2 + side + 1) * UINT64_C(0x9e3779b97f4a7c15);
    /* Touched as they are used, so an idle link takes no memory. */
    way->slots = calloc(SLOTS, sizeof *way->slots);
    if (way->slots == NULL) fail("calloc");
    watch(way->in, id * 2 + side);
  }
  link->ways[0].out = link->ways[1].in;
  link->ways[1].out = link->ways[0].in;
  printf("link %u %u %u\n", id, ports[0], ports[1]);
  return true;
}

static bool set_end(const char *line) {
  unsigned id, port;
  char side, text[64];
  if (sscanf(line, "end %u %c %63s %u", &id, &side, text, &port) != 4) return false;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (id >= MAX_LINKS || !links[id].used || (side != 'a' && side != 'b')) return false;
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) return false;
  struct direction *own = &links[id].ways[side == 'a' ? 0 : 1];
  struct direction *back = &links[id].ways[side == 'a' ? 1 : 0];
  own->from = address;
  own->knows_from = true;
  back->to = address;
  back->knows_to = true;
  printf("end %u\n", id);
  return true;
}

static bool drop_link(const char *line) {
  unsigned id;
  if (sscanf(line, "unlink %u", &id) != 1 || id >= MAX_LINKS || !links[id].used) return false;
  for (unsigned side = 0; side < 2; side += 1) {
    close(links[id].ways[side].in);
    free(links[id].ways[side].slots);
  }
  links[id].used = false;
  printf("unlink %u\n", id);
  return true;
}

static bool tell(const char *line) {
  unsigned id;
  if (sscanf(line, "stats %u", &id) != 1 || id >= MAX_LINKS || !links[id].used) return false;
  printf("stats %u", id);
  for (unsigned side = 0; side < 2; side += 1) {
    const struct direction *way = &links[id].ways[side];
    printf(" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, way->packets_in,
           way->packets_out, way->bytes_out, way->lost, way->dropped, way->largest);
  }
  printf("\n");
  return true;
}

/* What was read of standard input and is not a whole line yet. */
static void obey(void) {
  static char text[4096];
  static size_t length;
  const ssize_t count = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
  if (count <= 0) exit(0);
  length += (size_t)count;
  text[length] = '\0';
  char *line = text;
  for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
    *end = '\0';
    if (!add_link(line) && !set_end(line) && !drop_link(line) && !tell(line)) printf("error %s\n", line);
    line = end + 1;
  }
  length -= (size_t)(line - text);
  memmove(text, line, length);
  fflush(stdout);
}

int main(void) {
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (poll_fd < 0 || timer_fd < 0) fail("epoll and timer");
  const uint64_t timer_event = MAX_LINKS * 2, input_event = timer_event + 1;
  watch(timer_fd, timer_event);
  watch(STDIN_FILENO, input_event);
  for (;;) {
    struct epoll_event events[BATCH];
    const int count = epoll_wait(poll_fd, events, BATCH, -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int at = 0; at < count; at += 1) {
      const uint64_t what = events[at].data.u64;
      if (what == input_event) {
        obey();
      } else if (what == timer_event) {
        uint64_t expired;
        if (read(timer_fd, &expired, sizeof expired) < 0) continue;
        const int64_t now = now_ns();
        for (unsigned id = 0; id < MAX_LINKS; id += 1) {
          if (!links[id].used) continue;
          for (unsigned side = 0; side < 2; side += 1) flush(&links[id].ways[side], now);
        }
      } else if (links[what / 2].used) {
        /* It may have been dropped by a line that came in the same batch. */
        receive(&links[what / 2], &links[what / 2].ways[what % 2]);
      }
    }
    set_timer();
  }
}
