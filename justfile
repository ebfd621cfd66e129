# The tests of the README.
test:
    cargo test --locked

# What must hold before a change lands.
ci:
    bash .ci/run

# Manual pages, from the same texts as help and `ghostq explain`.
man:
    cargo run --quiet -- man --output man

# Hostile input for so many seconds; what it finds lies in target/fuzz/found.
fuzz seconds="3600":
    bash fuzz/run {{seconds}}

# How long it takes on large spools, beside the mail systems' own tools; as root.
bench:
    bash benches/spool/run

# Whether what it says is true while mail flows: a Postfix and an Exim at work for so many seconds; as root.
load seconds="1800":
    bash benches/load/run {{seconds}}
