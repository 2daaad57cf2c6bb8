// @mtcute/convert: what it makes of a tdata folder, and one as it writes it.
//
//   mtcute_convert.mjs read FOLDER ACCOUNT     prints user, home DC and keys, as JSON
//   mtcute_convert.mjs write FOLDER ACCOUNT    writes FOLDER with the key of the home DC
import { createCipheriv, createDecipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { convertToTdata, Tdata } from '@mtcute/convert'

const [action, path, accountFile] = process.argv.slice(2)
const account = JSON.parse(readFileSync(accountFile, 'utf8'))
const hex = bytes => Buffer.from(bytes).toString('hex')

// Its own is in a package that npm would have to compile.
const crypto = {
  randomBytes,
  createHash,
  sha1: data => createHash('sha1').update(data).digest(),
  pbkdf2: (password, salt, rounds, length, hash) => pbkdf2Sync(password, salt, rounds, length, hash),
  createAesIge: (key, iv) => ({
    encrypt: data => ige(createCipheriv('aes-256-ecb', key, null), data, iv.subarray(0, 16), iv.subarray(16)),
    decrypt: data => ige(createDecipheriv('aes-256-ecb', key, null), data, iv.subarray(16), iv.subarray(0, 16)),
  }),
}

// Each block is masked by the last output before the cipher, and by the last input behind it.
function ige(cipher, data, output, input) {
  const masked = (block, mask) => Buffer.from(block.map((byte, at) => byte ^ mask[at]))
  const blocks = []
  cipher.setAutoPadding(false)
  for (let at = 0; at < data.length; at += 16) {
    const block = data.subarray(at, at + 16)
    output = masked(cipher.update(masked(block, output)), input)
    input = block
    blocks.push(output)
  }
  return Buffer.concat(blocks)
}

async function read() {
  const tdata = await Tdata.open({ path, crypto })
  const { userId, mainDcId, authKeys } = await tdata.readMtpAuthorization(0)
  const keys = Object.fromEntries(authKeys.map(({ dcId, key }) => [dcId, hex(key)]))
  return { accounts: tdata.keyData.count, user: userId.toNumber(), dc: mainDcId, key: keys[mainDcId], keys }
}

async function write() {
  const [home] = account.dcs
  const dc = { id: home.id, ipAddress: home.host, port: home.port, ipv6: false, mediaOnly: false }
  const session = {
    version: 3,
    primaryDcs: { main: dc, media: dc },
    authKey: Buffer.from(home.key, 'hex'),
    self: { userId: account.user.id, isBot: false, isPremium: false, usernames: [] },
  }
  await convertToTdata(session, { path, crypto })
  return {}
}

console.log(JSON.stringify(await { read, write }[action]()))
