// Public Internet addresses, the only ones that may be called: every address outside the special-purpose ranges of IANA's
// registries.
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const special = new BlockList();
for (const range of [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; also a cloud's metadata service
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // a cloud's host, reachable from its virtual machines only
  '169.254.0.0/16', // link-local; also most clouds' metadata services
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]) {
  const [network, prefix] = range.split('/') as [string, string];
  special.addSubnet(network, Number(prefix), 'ipv4');
}
// Of IPv6, only 2000::/3 is allocated. Loopback, mapped, NAT64, unique-local, link-local and multicast addresses lie outside of
// it.
const handedOut = new BlockList();
handedOut.addSubnet('2000::', 3, 'ipv6');
for (const range of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']) {
  const [network, prefix] = range.split('/') as [string, string];
  special.addSubnet(network, Number(prefix), 'ipv6');
}

/** @param address as the resolver or `URL` writes it; every other text is not public */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  return isIPv6(address) && handedOut.check(address, 'ipv6') && !special.check(address, 'ipv6');
}
