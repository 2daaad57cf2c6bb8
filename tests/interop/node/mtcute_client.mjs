// mtcute's own storage: what it makes of a session, and a session as it writes it.
//
//     mtcute_client.mjs read FILE ACCOUNT            prints what its SQLite storage gives back, as JSON
//     mtcute_client.mjs write FILE ACCOUNT           writes FILE with it
//     mtcute_client.mjs meet FILE ACCOUNT            adds the peers that the account has met to FILE
//     mtcute_client.mjs read-string TEXT ACCOUNT     the same of readStringSession
//     mtcute_client.mjs write-string - ACCOUNT       and of writeStringSession
import fs from 'node:fs'
import { StorageManager, TelegramStorageManager } from '@mtcute/core'
import { __tlReaderMap, __tlWriterMap, LogManager, readStringSession, writeStringSession } from '@mtcute/core/utils.js'
import Long from 'long'
import { storageOf } from './sqlite_in_memory.mjs'

const [action, what, accountFile] = process.argv.slice(2)
const account = JSON.parse(fs.readFileSync(accountFile, 'utf8'))

/** The storage as a client opens it. */
async function opened() {
  const platform = { beforeExit: () => () => {}, getDefaultLogLevel: () => 1, log: (...said) => console.error(...said) }
  const provider = storageOf(what)
  const log = new LogManager('interop', platform)
  const options = { provider, log, platform, readerMap: __tlReaderMap, writerMap: __tlWriterMap }
  const mt = new StorageManager(options)
  await mt.load()
  const telegram = new TelegramStorageManager(mt, { provider })
  return {
    mt,
    provider,
    telegram,
    async close() {
      await telegram.close()
      await mt.save()
      await mt.destroy()
    },
  }
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')

function dcs() {
  const home = account.dcs[0]
  const main = { id: home.id, ipAddress: home.host, port: home.port, ipv6: false, testMode: account.test }
  return { main, media: main }
}

const self = () => ({ userId: account.user.id, isBot: account.user.bot, isPremium: false, usernames: [] })

/** Marked id and hash of what the library would send; 64 bits as text. */
function peerFound(peer) {
  if (!peer) return null
  if (peer._ === 'inputPeerUser') return [peer.userId, peer.accessHash.toString()]
  if (peer._ === 'inputPeerChannel') return [-1e12 - peer.channelId, peer.accessHash.toString()]
  return [-peer.chatId, '0']
}

/** The peer as Telegram would send it. */
function seen(peer) {
  const accessHash = hashes.get(peer.id)
  const [username] = peer.usernames
  // Telegram sends one username as such, and several as a list.
  const several = peer.usernames.length > 1
  const usernames = several ? peer.usernames.map((name) => ({ _: 'username', username: name, active: true })) : []
  const named = { username: several ? undefined : username, usernames }
  if (peer.kind === 'user' || peer.kind === 'bot') {
    const phone = peer.phone ?? undefined
    const [firstName, ...lastName] = peer.name.split(' ')
    const names = { firstName, lastName: lastName.join(' '), bot: peer.kind === 'bot' }
    return { _: 'user', id: peer.id, accessHash, min: false, ...names, phone, ...named }
  }
  const photo = { _: 'chatPhotoEmpty' }
  const shown = { title: peer.name, photo, date: 0 }
  if (peer.kind === 'group') return { _: 'chat', id: -peer.id, ...shown, participantsCount: 1, version: 1 }
  const kind = { broadcast: peer.kind === 'channel', megagroup: peer.kind === 'supergroup' }
  return { _: 'channel', id: -1e12 - peer.id, accessHash, min: false, ...kind, ...shown, ...named }
}

// Access hashes do not fit into a number of JSON.parse: they are taken from the text.
const hashes = new Map(
  [...fs.readFileSync(accountFile, 'utf8').matchAll(/"id": (-?\d+), "kind": "\w+", "hash": (-?\d+)/g)].map(
    ([, id, hash]) => [Number(id), Long.fromString(hash)],
  ),
)

const actions = {
  async read() {
    const storage = await opened()
    const { main } = await storage.mt.dcs.fetch()
    const user = await storage.telegram.self.fetch()
    const found = {
      dc: main.id,
      host: main.ipAddress,
      port: main.port,
      test: main.testMode ?? false,
      user: user.userId,
      bot: user.isBot,
      keys: {},
      state: await storage.telegram.updates.getState(),
      channels: {},
      by_id: {},
      by_username: {},
      by_phone: {},
    }
    for (let dc = 1; dc <= 5; dc++) {
      const key = await storage.provider.authKeys.get(dc)
      if (key) found.keys[dc] = hex(key)
    }
    for (const id of Object.keys(account.channels)) {
      found.channels[id] = await storage.telegram.updates.getChannelPts(Number(id))
    }
    for (const peer of account.peers) {
      const [id, hash] = peerFound(await storage.telegram.peers.getById(peer.id))
      found.by_id[id] = hash
      for (const name of peer.usernames) {
        found.by_username[name] = peerFound(await storage.telegram.peers.getByUsername(name))
      }
      if (peer.phone) found.by_phone[peer.phone] = peerFound(await storage.telegram.peers.getByPhone(peer.phone))
    }
    await storage.close()
    return found
  },
  async write() {
    const storage = await opened()
    await storage.mt.dcs.store(dcs())
    for (const dc of account.dcs) await storage.provider.authKeys.set(dc.id, Buffer.from(dc.key, 'hex'))
    const { self: own, updates, peers } = storage.telegram
    await own.store(self())
    const [pts, qts, date, seq] = account.state
    await updates.setPts(pts)
    await updates.setQts(qts)
    await updates.setDate(date)
    await updates.setSeq(seq)
    for (const [id, pts] of Object.entries(account.channels)) await updates.setChannelPts(Number(id), pts)
    for (const peer of account.peers) await peers.store(seen(peer))
    await storage.close()
    return {}
  },
  async meet() {
    const storage = await opened()
    for (const peer of account.met) await storage.telegram.peers.store(seen(peer))
    await storage.close()
    return {}
  },
  async 'read-string'() {
    const { primaryDcs: { main }, self: user, authKey } = readStringSession(what)
    const found = { dc: main.id, host: main.ipAddress, port: main.port, test: main.testMode ?? false }
    return { ...found, user: user.userId, bot: user.isBot, key: hex(authKey) }
  },
  async 'write-string'() {
    const authKey = Buffer.from(account.dcs[0].key, 'hex')
    return { string: writeStringSession({ version: 3, primaryDcs: dcs(), self: self(), authKey }) }
  },
}

console.log(JSON.stringify(await actions[action]()))
process.exit(0)
