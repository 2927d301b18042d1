use transports::Synced;

#[derive(Synced)]
#[synced(tag = "type")]
enum Shape {
    Line(i64, i64),
    Circle {
        #[synced(rename = "type")]
        kind: i64,
    },
}

#[derive(Synced)]
#[synced(content = "value")]
enum Job {
    Run(i64),
}

#[derive(Synced)]
#[synced(untagged)]
enum Either {
    Left(i64),
    Right(String),
}

#[derive(Synced)]
#[synced(tag = "t")]
enum Held {
    Number(i64),
}

fn main() {}
