// GramJS's own sessions: what they make of a session, and a session as they write it.
//
//     gramjs_client.mjs read FOLDER ACCOUNT          prints what StoreSession gives back, as JSON
//     gramjs_client.mjs write FOLDER ACCOUNT         writes FOLDER with it
//     gramjs_client.mjs meet FOLDER ACCOUNT          adds the peers that the account has met to FOLDER
//     gramjs_client.mjs read-string TEXT ACCOUNT     the same of StringSession
//     gramjs_client.mjs write-string - ACCOUNT
import fs from 'node:fs'
import path from 'node:path'
import bigInt from 'big-integer'
import { Api, sessions } from 'telegram'
import { AuthKey } from 'telegram/crypto/AuthKey.js'

const [action, what, accountFile] = process.argv.slice(2)
const account = JSON.parse(fs.readFileSync(accountFile, 'utf8'))

/** A StoreSession lies in the current folder, under its name. */
function store() {
  process.chdir(path.dirname(what))
  return new sessions.StoreSession(path.basename(what))
}

async function fill(session) {
  const home = account.dcs[0]
  session.setDC(home.id, home.host, home.port)
  const key = new AuthKey()
  await key.setKey(Buffer.from(home.key, 'hex'))
  session.authKey = key
}

const login = (session) => ({
  dc: session.dcId,
  host: session.serverAddress,
  port: session.port,
  key: session.authKey.getKey().toString('hex'),
})

/** The peer as Telegram would send it. */
function seen(peer) {
  const accessHash = numbers.get(peer.id)
  const username = peer.usernames[0]
  const photo = new Api.ChatPhotoEmpty()
  if (peer.kind === 'user' || peer.kind === 'bot') {
    const { phone, name } = peer
    return new Api.User({ id: bigInt(peer.id), accessHash, username, phone: phone ?? undefined, firstName: name })
  }
  if (peer.kind === 'group') {
    return new Api.Chat({ id: bigInt(-peer.id), title: peer.name, photo, participantsCount: 1, date: 0, version: 1 })
  }
  return new Api.Channel({ id: bigInt(-1e12 - peer.id), title: peer.name, photo, date: 0, accessHash, username })
}

// Access hashes do not fit into a number of JSON.parse: they are taken from the text.
const numbers = new Map(
  [...fs.readFileSync(accountFile, 'utf8').matchAll(/"id": (-?\d+), "kind": "\w+", "hash": (-?\d+)/g)].map(
    ([, id, hash]) => [Number(id), bigInt(hash)],
  ),
)

const actions = {
  async read() {
    const session = store()
    await session.load()
    const rows = {}
    const by_id = {}
    for (const peer of account.peers) {
      const [id, hash, username, phone, name] = session.getEntityRowsById(peer.id)
      rows[id] = [hash, username, phone, name]
      by_id[id] = session.getInputEntity(peer.id).accessHash?.toString() ?? '0'
    }
    return { ...login(session), rows, by_id }
  },
  async write() {
    const session = store()
    await fill(session)
    session.processEntities(account.peers.map(seen))
    return {}
  },
  async meet() {
    const session = store()
    await session.load()
    session.processEntities(account.met.map(seen))
    return {}
  },
  async 'read-string'() {
    const session = new sessions.StringSession(what)
    await session.load()
    return login(session)
  },
  async 'write-string'() {
    const session = new sessions.StringSession('')
    await fill(session)
    return { string: session.save() }
  },
}

console.log(JSON.stringify(await actions[action]()))
process.exit(0)
