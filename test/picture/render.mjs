// Renders a job summary as GitHub shows it, as far as other people's code can say that without GitHub: marked reads the Markdown,
// mermaid draws its diagrams, github-markdown-css has GitHub's colours and measures, and Chromium makes the picture.
//
//   node render.mjs [--fold] SUMMARY.md light|dark PICTURE.png
//
// --fold shows the parts that can be folded away without their content. CHROMIUM names the browser; else it is chromium of PATH.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { marked } from 'marked'

const width = 800 // of the page, in CSS pixels: near what GitHub gives a README and a summary
const modules = join(import.meta.dirname, 'node_modules')
const args = process.argv.slice(2)
const fold = args[0] === '--fold' && args.shift()
const [summary, theme, picture] = args
if (!picture || !['light', 'dark'].includes(theme)) {
  console.error('usage: node render.mjs [--fold] SUMMARY.md light|dark PICTURE.png')
  process.exit(2)
}

// GitHub's alerts are no part of Markdown: a quotation whose first line is a word like [!NOTE].
const alert = /^<p>\[!(NOTE|TIP|WARNING|CAUTION)\]\s*/
marked.use({
  renderer: {
    blockquote({ tokens }) {
      const body = this.parser.parse(tokens)
      const kind = body.match(alert)?.[1]
      if (!kind) return false
      const title = kind[0] + kind.slice(1).toLowerCase()
      return `<div class="markdown-alert markdown-alert-${kind.toLowerCase()}"><p class="markdown-alert-title">${title}</p>${body.replace(alert, '<p>')}</div>`
    },
    code({ text, lang }) {
      return lang === 'mermaid' ? `<pre class="mermaid">${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</pre>` : false
    },
  },
})

const text = readFileSync(summary, 'utf8')
const page = `<!doctype html><meta charset="utf-8"><title>0</title>
<link rel="stylesheet" href="${file('github-markdown-css', `github-markdown-${theme}.css`)}">
<style>body { margin: 0; padding: 20px } pre.mermaid { text-align: center } .markdown-body { font-family: "DejaVu Sans", sans-serif; font-size: 14px }
  .markdown-body code, .markdown-body pre { font-family: "DejaVu Sans Mono", monospace }</style>
<body class="markdown-body">${marked.parse(fold ? text.replaceAll('<details open>', '<details>') : text)}
<script src="${file('mermaid', 'dist', 'mermaid.min.js')}"></script>
<script>
  mermaid.initialize({ startOnLoad: false, theme: '${theme === 'dark' ? 'dark' : 'default'}' })
  mermaid.run().then(() => { document.title = Math.ceil(document.body.getBoundingClientRect().height) })
</script>`

function file(...parts) {
  return pathToFileURL(join(modules, ...parts)).href
}

const work = mkdtempSync(join(tmpdir(), 'picture-'))
try {
  const html = join(work, 'page.html')
  writeFileSync(html, page)
  const height = browser(html, 1000, '--dump-dom').match(/<title>(\d+)<\/title>/)?.[1]
  if (!(height > 0)) throw new Error(`${summary}: the page did not render`)
  browser(html, height, `--screenshot=${resolve(picture)}`)
} finally {
  rmSync(work, { recursive: true })
}

// browser loads the page in a window of this height, and gives what Chromium prints.
function browser(html, height, ...flags) {
  return execFileSync(process.env.CHROMIUM ?? 'chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--allow-file-access-from-files', '--virtual-time-budget=20000',
    `--user-data-dir=${join(work, 'profile')}`, `--window-size=${width},${height}`, ...flags, pathToFileURL(html).href,
  ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
