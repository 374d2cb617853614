/** Endpoints by which a peer could make a node knock at its own network, each with why it must not be dialled. */

/** Hosts as they stand in a URL, by the range that the filter must see in them. */
const HOSTS: Readonly<Record<string, string>> = {
  loopback: `
    127.0.0.1 127.0.0.2 127.0.1.1 127.1.2.3 127.255.255.254 127.255.255.255
    127.1 127.0.1 127.65535 127.16777215 127.0.0.1. 127.1.
    2130706433 2130706434 2147483647 2130706433.
    0x7f000001 0x7F000001 0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0X7F.0.0.1 0x7fffffff
    0177.0.0.1 0177.1 017700000001 0177.0x0.0.01 00000177.0.0.1 127.0.0.01 127.0.0.0x1 127.0x1
    %31%32%37.0.0.1 127%2E0%2E0%2E1 127.0.0.%31 %30x7f.1
    127。0。0。1 127．0．0．1 127｡0｡0｡1 １２７.0.0.1 ①②⑦.⓪.⓪.① 𝟏𝟐𝟕.𝟎.𝟎.𝟏 ０x7f.1 127.0.0.¹
    [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0.0.0.1] [0::1]
    [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1] [0:0:0:0:0:ffff:7f00:1]
    [::ffff:127.255.255.255]`,
  private: `
    10.0.0.0 10.0.0.1 10.1 10.96.0.1 10.96.0.10 10.244.1.7 10.255.255.255 167772161 0xa.1 0x0a000001 012.0.0.1 012.1
    172.16.0.0 172.16.0.1 172.17.0.1 172.20.10.1 172.31.255.255 0xac100001 2886729729 172.1048577 0254.16.0.1
    192.168.0.0 192.168.0.1 192.168.1.1 192.168.65.2 192.168.122.1 192.168.255.255 192.168.1 3232235521 0xc0a80001
    0300.0250.0.1 192.11010049
    [::ffff:10.0.0.1] [::ffff:a00:1] [::ffff:172.16.0.1] [::ffff:ac10:1] [::ffff:192.168.0.1] [::ffff:c0a8:1]`,
  linkLocal: `
    169.254.0.0 169.254.0.1 169.254.1.1 169.254.169.254 169.254.169.253 169.254.169.123 169.254.170.2 169.254.170.23
    169.254.42.42 169.254.255.255 2852039166 0xa9fea9fe 0xa9.0xfe.0xa9.0xfe 0251.0376.0251.0376 169.254.43518 169.16689662
    169.254.169.254. 169。254。169。254 [::ffff:169.254.169.254] [::ffff:a9fe:a9fe]
    [fe80::] [fe80::1] [fe80::a9fe:a9fe] [fe80::1:2:3:4] [fe9f::1] [febf:ffff::1]`,
  carrierGradeNat: `
    100.64.0.0 100.64.0.1 100.100.100.200 100.127.255.255 1681915905 0x64400001 0144.0100.0.1 100.4194305
    [::ffff:100.64.0.1] [::ffff:6464:64c8]`,
  uniqueLocal:
    "[fc00::] [fc00::1] [fd00::1] [fd00:ec2::254] [fd00:ec2::23] [fd20:ce::254] [fdff:ffff::1] [fd12:3456:789a::10]",
  unspecified: "0.0.0.0 0 0x0 00 0.1 0.0.0.1 0.255.255.255 [::] [0:0:0:0:0:0:0:0] [::ffff:0.0.0.0] [::ffff:0:0]",
  broadcast: "255.255.255.255 4294967295 0xffffffff 0377.0377.0377.0377 [::ffff:255.255.255.255] [::ffff:ffff:ffff]",
  multicast: `
    224.0.0.0 224.0.0.1 224.0.0.251 232.1.2.3 239.255.255.250 239.255.255.255 0xe0000001 3758096385 [::ffff:224.0.0.1]
    [ff00::1] [ff01::1] [ff02::1] [ff02::2] [ff02::fb] [ff05::1:3] [ff0e::1]`,
  reserved: `
    192.0.0.1 192.0.0.8 192.0.0.170 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.254 198.51.100.7 203.0.113.9
    240.0.0.1 250.1.2.3 255.255.255.254 [::ffff:192.0.2.1] [::ffff:240.0.0.1]
    [2001:db8::1] [2001:db8:ffff::1] [2001:1::1] [2001:100::1] [3fff::1] [3fff:fff:ffff::1]`,
  metadata: "168.63.129.16 0xa83f8110 [::ffff:168.63.129.16] [::ffff:a83f:8110]",
  rfc6052: `
    [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::10.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b::192.168.0.1]
    [64:ff9b::8.8.8.8] [64:ff9b:1::7f00:1] [64:ff9b:1:ffff::a00:1]`,
  rfc6145: "[::ffff:0:127.0.0.1] [::ffff:0:7f00:1] [::ffff:0:a00:1] [::ffff:0:8.8.8.8]",
  "6to4": "[2002:7f00:1::] [2002:7f00:1::1] [2002:a00:1::1] [2002:a9fe:a9fe::1] [2002:c0a8:1::1] [2002:808:808::1]",
  teredo: "[2001::1] [2001:0:7f00:1::] [2001:0:808:808:0:0:80ff:fffe] [2001:0:4136:e378:8000:63bf:f5ff:fffe]",
  "not assigned": `
    [::127.0.0.1] [::7f00:1] [::10.0.0.1] [::a9fe:a9fe] [::8.8.8.8] [::2] [4000::1] [8000::1] [e000::1] [200::1]
    [64:ff9a::1] [1000::1] [fe00::1] [64:ff9b:2::7f00:1]`,
  deprecatedSiteLocal: "[fec0::1] [feff::1]",
  discard: "[100::1]",
  benchmarking: "[2001:2::1]",
  amt: "192.52.193.1 [2001:3::1]",
  as112: "192.31.196.1 192.175.48.1",
  as112v6: "[2001:4:112::1] [2620:4f:8000::1]",
  deprecatedOrchid: "[2001:10::1]",
  orchid2: "[2001:20::1]",
  segmentRouting: "[5f00::1]",
};

/** Whole endpoints whose host is public or says nothing, by what is wrong with them. */
const URLS: Readonly<Record<string, string>> = {
  "it is not https": `
    http://8.8.8.8:443/ http://peer.example/ ftp://8.8.8.8/ file:///etc/passwd file://8.8.8.8/share gopher://8.8.8.8:443/_GET
    ws://8.8.8.8/ wss://8.8.8.8/ javascript:alert(1) data:text/plain,x unix:/run/docker.sock ldap://8.8.8.8/ dict://8.8.8.8:443/
    ssh://8.8.8.8:443 httpss://8.8.8.8/ blob:https://8.8.8.8/x view-source:https://8.8.8.8/ jar:https://8.8.8.8!/`,
  "it names a user": `
    https://127.0.0.1@8.8.8.8/ https://localhost:8443@8.8.8.8/ https://user:secret@8.8.8.8/ https://:secret@8.8.8.8/
    https://user@[2606:4700:4700::1111]/ https://10.0.0.1:443@8.8.8.8:8443/ https://a%40127.0.0.1@8.8.8.8/
    https://8.8.8.8@127.0.0.1.:8443\\@8.8.8.8/`,
  "it is no URL": `
    https:// https://[::1 https://[fe80::1%25eth0]/ https://[fe80::1%eth0]:8443/ https://256.256.256.256/ https://4294967296/
    https://1.2.3.4.5/ https://127.0.0.1:65536/ https://127.0.0.1:-1/ https://08.8.8.8/ https://0x100000000/ https://8.8.8.8:443x/
    https://a%00.example/ https://[::ffff:127.0.0.256]/ 127.0.0.1:8443 //127.0.0.1/ https://[::1]x/ https://[127.0.0.1]/ peer.example`,
  "port 22 is": "https://8.8.8.8:22/ https://peer.example:22/ https://[2606:4700:4700::1111]:22/",
  "port 25 is": "https://8.8.8.8:25/ https://8.8.8.8:0025/",
  "port 80 is": "https://8.8.8.8:80/ https://peer.example:80/api",
  "port 0 is": "https://8.8.8.8:0/",
  "port 2379 is": "https://8.8.8.8:2379/",
  "port 6443 is": "https://8.8.8.8:6443/ https://peer.example.:6443/",
  "port 10250 is": "https://8.8.8.8:10250/",
  "port 65535 is": "https://8.8.8.8:65535/",
  // What looks public is the user or the path; the host is another one.
  loopback: `
    https://127.0.0.1\\@8.8.8.8/ https://127.0.0.1#@8.8.8.8/ https://127.0.0.1?@8.8.8.8/
    https:127.0.0.1 https:/127.0.0.1/ https:\\\\127.0.0.1/ https:////127.0.0.1/ https://127.0.0.1:443/ https://127.0.0.1:08443/
    HTTPS://127.0.0.1/ https://[::1]:443/`,
};

export interface HostileEndpoint {
  readonly endpoint: string;
  /** Part of the reason that must be given. */
  readonly why: string;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const flat = (table: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(table).flatMap(([why, text]) => words(text).map((word) => [why, word] as const));

export const HOSTILE_ENDPOINTS: readonly HostileEndpoint[] = [
  ...flat(HOSTS).map(([why, host]) => ({ endpoint: `https://${host}:8443/api/v1/federation`, why: `(${why})` })),
  ...flat(URLS).map(([why, endpoint]) => ({ endpoint, why })),
];

const ANSWERS = [
  ...flat(HOSTS).map(([why, host]) => ({
    address: new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, ""),
    why: `(${why})`,
  })),
  ...words("fe80::1%eth0 fe80::1%1 fe80::a9fe:a9fe%lo ff02::1%eth0 2606:4700:4700::1111%eth0 ::1%lo").map(
    (address) => ({
      address,
      why: "names an interface",
    }),
  ),
  ...words(`localhost metadata.google.internal kubernetes.default.svc 127.1 0x7f.1 2130706433 0177.0.0.1 010.8.8.8 8.8.8.8:443
    [::1] [2606:4700:4700::1111] 8.8.8.8/32 8.8.8 8.8.8.8. 1.2.3.4.5 ffff:127.0.0.1`).map((address) => ({
    address,
    why: "is no IP address",
  })),
  { address: "", why: "is no IP address" },
];

/** Addresses that a look-up may give: those of the table in the form that a resolver gives, and some that it should not. */
export const HOSTILE_ANSWERS: readonly { readonly address: string; readonly why: string }[] = [
  ...new Map(ANSWERS.map((answer) => [answer.address, answer])).values(),
];
