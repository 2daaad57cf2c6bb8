// SQLite as WebAssembly behind the interface by which mtcute calls it: nothing has to be compiled on this machine.
// The database is in memory; its bytes are the file's when it is opened and written back when it is closed.
import fs from 'node:fs'
import { BaseSqliteStorage, BaseSqliteStorageDriver } from '@mtcute/core'
import initSqlJs from 'sql.js'

const { Database } = await initSqlJs()

class Driver extends BaseSqliteStorageDriver {
  constructor(file) {
    super()
    this.file = file
  }

  _createDatabase() {
    const db = new Database(fs.existsSync(this.file) ? fs.readFileSync(this.file) : undefined)
    this.raw = db
    return {
      exec: (sql) => db.run(sql),
      prepare: (sql) => new Statement(db.prepare(sql)),
      transaction: (work) => (...values) => {
        db.run('BEGIN')
        try {
          const done = work(...values)
          db.run('COMMIT')
          return done
        } catch (error) {
          db.run('ROLLBACK')
          throw error
        }
      },
      close: () => {
        fs.writeFileSync(this.file, db.export())
        db.close()
      },
    }
  }
}

class Statement {
  constructor(raw) {
    this.raw = raw
  }

  run(...values) {
    this.raw.run(values)
  }

  all(...values) {
    const rows = []
    this.raw.bind(values)
    while (this.raw.step()) rows.push(this.raw.getAsObject())
    this.raw.reset()
    return rows
  }

  get(...values) {
    return this.all(...values)[0]
  }
}

/** mtcute's storage of the file at this path. */
export const storageOf = (file) => new BaseSqliteStorage(new Driver(file))
